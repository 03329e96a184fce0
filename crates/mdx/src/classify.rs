//! What kind of statement a text is, from its first tokens (spec/dmv.md section 6).

use crate::lexer::{Lexer, Token, TokenKind};

/// Tokens of a select list that are looked at for its FROM.
const LOOKED_AT: usize = 4096;

/// What kind of statement a text seems to be. Only a parse tells whether it is one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum StatementClass {
    /// Nothing but blanks and comments.
    Empty,
    /// A command of XML for Analysis: starts with `<`.
    Xmla,
    /// A command in JSON: starts with `{`.
    Json,
    /// A query of schema rowsets: `SELECT … FROM $SYSTEM.x` or `FROM SYSTEMRESTRICTSCHEMA(…)`.
    Dmv,
    /// A query of a cube: SELECT, WITH, DRILLTHROUGH, EXPLAIN.
    Query,
    /// CREATE, DROP, ALTER.
    Definition,
    /// UPDATE.
    Update,
    /// BEGIN, COMMIT, ROLLBACK.
    Transaction,
    /// Any other command, a script, or no statement at all.
    Other,
}

/// What kind of statement `text` seems to be. Reads a few tokens; a DMV's select list and leading comments at most.
pub fn classify(text: &str) -> StatementClass {
    let mut lexer = Lexer::new(text);
    let mut first = lexer.next_token();
    while first.kind == TokenKind::Semicolon {
        first = lexer.next_token();
    }
    match first.kind {
        TokenKind::End => StatementClass::Empty,
        TokenKind::Less => StatementClass::Xmla,
        TokenKind::OpenBrace => StatementClass::Json,
        TokenKind::Word => {
            let word = text.get(first.start..first.end).unwrap_or("").to_ascii_uppercase();
            match word.as_str() {
                "SELECT" if selects_from_dmv(lexer) => StatementClass::Dmv,
                "SELECT" | "WITH" | "DRILLTHROUGH" | "EXPLAIN" => StatementClass::Query,
                "CREATE" | "DROP" | "ALTER" => StatementClass::Definition,
                "UPDATE" => StatementClass::Update,
                "BEGIN" | "COMMIT" | "ROLLBACK" => StatementClass::Transaction,
                _ => StatementClass::Other,
            }
        }
        _ => StatementClass::Other,
    }
}

/// Whether the select list that `lexer` stands before is followed by a FROM that names a schema rowset. MDX is told by its
/// first `ON` or `{`, which no select list of a DMV has.
pub(crate) fn selects_from_dmv(mut lexer: Lexer<'_>) -> bool {
    let text = lexer.text();
    let is = |token: Token, word: &str| {
        let text = text.get(token.start..token.end).unwrap_or("");
        let text = text.strip_prefix('[').and_then(|t| t.strip_suffix(']')).unwrap_or(text);
        matches!(token.kind, TokenKind::Word | TokenKind::Quoted) && text.eq_ignore_ascii_case(word)
    };
    for _ in 0..LOOKED_AT {
        let token = lexer.next_token();
        match token.kind {
            TokenKind::Word if is(token, "FROM") => {
                let source = lexer.next_token();
                let next = lexer.next_token().kind;
                return is(source, "$SYSTEM") && next == TokenKind::Dot
                    || source.kind == TokenKind::Word && is(source, "SYSTEMRESTRICTSCHEMA");
            }
            TokenKind::Word if is(token, "ON") => return false,
            TokenKind::OpenBrace | TokenKind::End | TokenKind::Bad(_) => return false,
            _ => {}
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_tokens_tell() {
        use StatementClass::*;
        let cases = [
            ("", Empty),
            (" -- nothing\n /* at all */ ", Empty),
            ("\u{feff}<Cancel/>", Xmla),
            (" { \"refresh\": {} }", Json),
            ("select * from $system.discover_sessions", Dmv),
            ("/* x */ SELECT [A], B FROM [$System].X", Dmv),
            ("SELECT TOP 5 COUNT(*) AS N FROM\n$SYSTEM . DISCOVER_SESSIONS", Dmv),
            ("SELECT * FROM SYSTEMRESTRICTSCHEMA($System.X, [A]='b')", Dmv),
            ("SELECT '$SYSTEM.' ON 0 FROM [$SYSTEM.X]", Query),
            ("SELECT FROM [$SYSTEM.X]", Query),
            ("SELECT FROM $SYSTEM", Query),
            ("SELECT [from $system.x] FROM [Sales]", Query),
            ("SELECT /* from $system.x */ {} ON 0 FROM [Sales]", Query),
            ("WITH MEMBER [a].[b] AS 1 SELECT FROM [c]", Query),
            ("DRILLTHROUGH SELECT FROM c", Query),
            ("explain plan for select from c", Query),
            ("CREATE SESSION SET c.s AS {}", Definition),
            ("drop member c.m", Definition),
            ("ALTER CUBE c", Definition),
            ("UPDATE CUBE c SET (a) = 1", Update),
            ("begin tran", Transaction),
            ("; COMMIT TRANSACTION", Transaction),
            ("ROLLBACK TRAN", Transaction),
            ("REFRESH CUBE [c]", Other),
            ("EVALUATE x", Other),
            ("'text'", Other),
            ("/* open", Other),
        ];
        for (text, class) in cases {
            assert_eq!(classify(text), class, "{text}");
        }
    }

    #[test]
    fn a_long_text_is_not_read_through() {
        let text = format!("SELECT {} FROM $SYSTEM.X", "a ".repeat(1 << 20));
        assert_eq!(classify(&text), StatementClass::Query);
        let text = format!("SELECT {{{}}} ON 0 FROM c", "[a],".repeat(1 << 20));
        assert_eq!(classify(&text), StatementClass::Query);
        assert_eq!(classify(&";".repeat(1 << 20)), StatementClass::Empty);
    }
}
