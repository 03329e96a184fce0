fn main() {
    match facetta_schema::load(std::path::Path::new(&std::env::args().nth(1).unwrap())) {
        Ok(d) => println!("{d:#?}"),
        Err(e) => println!("{e}"),
    }
}
