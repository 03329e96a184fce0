//! The XMLA server: HTTP, sessions, commands, rowsets.
