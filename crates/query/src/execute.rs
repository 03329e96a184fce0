//! A statement carried out: which kind it is, and what it yields.

use crate::cellset;
use crate::environment::Query;
use crate::evaluate::Evaluator;
use crate::resolve;
use facetta_mdx::ast::{Statement, StatementKind};
use facetta_model::{Context, Error, Outcome, Result};
use std::sync::Arc;

/// Carries out a statement that reads: SELECT, DRILLTHROUGH, EXPLAIN, REFRESH CUBE. Errors point into the statement's text.
pub fn execute(statement: &Statement, query: &Query, context: &Context) -> Result<Outcome> {
    match &statement.kind {
        StatementKind::Select(select) => {
            let program = Arc::new(resolve::select(query, select, context)?);
            let evaluator = Evaluator::new(program, query, context.clone());
            cellset::evaluate(evaluator).map(Outcome::CellSet)
        }
        StatementKind::Drillthrough(statement) => {
            crate::drillthrough::drillthrough(statement, query, context).map(Outcome::Rowset)
        }
        StatementKind::Explain(statement) => crate::plan::explain(statement, query, context).map(Outcome::Rowset),
        StatementKind::RefreshCube(cube) => resolve::named_cube(query, cube).map(|_| Outcome::Done),
        other => Err(Error::not_supported(statement_name(other))),
    }
}

/// How messages call a statement.
fn statement_name(kind: &StatementKind) -> &'static str {
    match kind {
        StatementKind::Select(_) => "SELECT",
        StatementKind::Drillthrough(_) => "DRILLTHROUGH",
        StatementKind::Explain(_) => "EXPLAIN",
        StatementKind::Dmv(_) => "a query of a system rowset",
        StatementKind::CreateMember(_) => "CREATE MEMBER",
        StatementKind::CreateSet(_) => "CREATE SET",
        StatementKind::CreateSubcube(_) => "CREATE SUBCUBE",
        StatementKind::CreateCellCalculation(_) => "CREATE CELL CALCULATION",
        StatementKind::CreateKpi(_) => "CREATE KPI",
        StatementKind::Drop(_) => "DROP",
        StatementKind::AlterCube(_) => "ALTER CUBE",
        StatementKind::Update(_) => "UPDATE CUBE",
        StatementKind::RefreshCube(_) => "REFRESH CUBE",
        StatementKind::ClearCalculations(_) => "CLEAR CALCULATIONS",
        StatementKind::Call(_) => "CALL",
        StatementKind::UseLibrary(_) => "USE LIBRARY",
        StatementKind::BeginTransaction => "BEGIN TRANSACTION",
        StatementKind::CommitTransaction => "COMMIT TRANSACTION",
        StatementKind::RollbackTransaction => "ROLLBACK TRANSACTION",
        StatementKind::Scope(_) => "SCOPE",
        StatementKind::Assignment(_) => "an assignment",
        StatementKind::Freeze(_) => "FREEZE",
        StatementKind::Calculate => "CALCULATE",
        StatementKind::If(_) => "IF",
    }
}
