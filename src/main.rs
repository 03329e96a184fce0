//! The facetta binary.
fn main() {}
