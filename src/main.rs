//! The facetta binary: an open OLAP server and the clients that people need beside it.

mod demo;

fn main() {
    for t in demo::tables(demo::SEED, demo::ROWS) {
        println!("{} {}", t.name, t.rows.num_rows());
    }
}
