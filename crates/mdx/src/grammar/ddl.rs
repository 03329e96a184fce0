//! CREATE, DROP and ALTER.

use crate::ast::{
    AlterCube, CreateCellCalculation, CreateKpi, CreateMember, CreateSet, CreateSubcube, DefinitionScope, DropObjects,
    ObjectKind, SetEvaluation, Source, StatementKind,
};
use crate::lexer::TokenKind;
use crate::parser::Parser;
use facetta_model::{Error, Result};

impl Parser<'_, '_, '_> {
    /// `CREATE [SESSION|GLOBAL] [HIDDEN] MEMBER|SET|SUBCUBE|CELL CALCULATION|KPI …`.
    pub(crate) fn create(&mut self) -> Result<StatementKind> {
        self.expect_word("CREATE")?;
        let scope = self.scope_word()?;
        let mut hidden = self.eat_word("HIDDEN")?;
        let kind_at = self.span();
        // `HIDDEN` may stand on either side of `DYNAMIC` or `STATIC`.
        let evaluation = if self.eat_words(&["DYNAMIC", "HIDDEN", "SET"])? {
            hidden = true;
            Some(Some(SetEvaluation::Dynamic))
        } else if self.eat_words(&["STATIC", "HIDDEN", "SET"])? {
            hidden = true;
            Some(Some(SetEvaluation::Static))
        } else {
            self.set_keyword()?
        };
        if let Some(evaluation) = evaluation {
            let set = self.set_definition(evaluation)?;
            return Ok(StatementKind::CreateSet(Box::new(CreateSet { scope, hidden, set })));
        }
        for other in ["ACTION", "CACHE", "CUBE"] {
            if self.at_word(other) {
                return Err(Error::not_supported(format!("CREATE {other}")).at(kind_at));
            }
        }
        let kind = self.object_kind()?;
        if hidden && kind != ObjectKind::Member {
            return Err(Error::not_supported(format!("CREATE HIDDEN {}", kind.text())).at(kind_at));
        }
        Ok(match kind {
            ObjectKind::Member => {
                let member = self.member_definition()?;
                StatementKind::CreateMember(Box::new(CreateMember { scope, hidden, member }))
            }
            ObjectKind::CellCalculation => {
                let calculation = self.cell_calculation()?;
                StatementKind::CreateCellCalculation(Box::new(CreateCellCalculation { scope, calculation }))
            }
            ObjectKind::Subcube => self.create_subcube(scope)?,
            ObjectKind::Kpi => {
                let name = self.identifier()?;
                self.expect_word("AS")?;
                let (value, properties) = self.formula_and_properties()?;
                StatementKind::CreateKpi(Box::new(CreateKpi { scope, name, value, properties }))
            }
            // Taken above, where the words before SET are known.
            ObjectKind::Set => return Err(self.unexpected()),
        })
    }

    fn scope_word(&mut self) -> Result<Option<DefinitionScope>> {
        Ok(if self.eat_word("SESSION")? {
            Some(DefinitionScope::Session)
        } else if self.eat_word("GLOBAL")? {
            Some(DefinitionScope::Global)
        } else {
            None
        })
    }

    /// Takes the words that name a kind of object.
    fn object_kind(&mut self) -> Result<ObjectKind> {
        if self.at_words(&["CALCULATED", "MEMBER"]) {
            self.bump()?;
        }
        for &kind in ObjectKind::ALL {
            let words: &[&str] = match kind {
                ObjectKind::CellCalculation => &["CELL", "CALCULATION"],
                _ => &[kind.text()],
            };
            if self.eat_words(words)? {
                return Ok(kind);
            }
        }
        Err(self.unexpected())
    }

    /// `name AS [NON VISUAL] (SELECT …)`, or without the parentheses.
    fn create_subcube(&mut self, scope: Option<DefinitionScope>) -> Result<StatementKind> {
        let name = self.identifier()?;
        self.expect_word("AS")?;
        let subselect = if self.at_word("SELECT") { self.subselect_body(false)? } else { self.subselect()? };
        let source = Source::Subselect(Box::new(subselect));
        Ok(StatementKind::CreateSubcube(Box::new(CreateSubcube { scope, name, source })))
    }

    /// `DROP [SESSION|GLOBAL] kind name, …`.
    pub(crate) fn drop_objects(&mut self) -> Result<StatementKind> {
        self.expect_word("DROP")?;
        let scope = self.scope_word()?;
        if self.at_word("ACTION") {
            return Err(Error::not_supported("DROP ACTION").at(self.span()));
        }
        let kind = self.object_kind()?;
        let names = self.identifiers()?;
        Ok(StatementKind::Drop(Box::new(DropObjects { scope, kind, names })))
    }

    /// `ALTER CUBE cube UPDATE DIMENSION hierarchy, DEFAULT_MEMBER = member`.
    pub(crate) fn alter(&mut self) -> Result<StatementKind> {
        self.expect_word("ALTER")?;
        self.expect_word("CUBE")?;
        let cube = self.identifier()?;
        let action = self.span();
        for other in ["CREATE", "DROP", "MOVE", "REMOVE"] {
            if self.at_words(&[other, "DIMENSION"]) {
                return Err(Error::not_supported(format!("ALTER CUBE … {other} DIMENSION MEMBER")).at(action));
            }
        }
        self.expect_word("UPDATE")?;
        self.expect_word("DIMENSION")?;
        if self.at_word("MEMBER") {
            return Err(Error::not_supported("ALTER CUBE … UPDATE DIMENSION MEMBER").at(action));
        }
        let hierarchy = self.identifier()?;
        self.expect(TokenKind::Comma)?;
        self.expect_word("DEFAULT_MEMBER")?;
        self.expect(TokenKind::Equal)?;
        let default_member = self.formula()?;
        Ok(StatementKind::AlterCube(Box::new(AlterCube { cube, hierarchy, default_member })))
    }
}
