//! The column store: loads sources, answers subcube requests.
