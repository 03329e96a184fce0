//! The demo's data: a retail chain, made up by a seeded generator; the same bytes for the same seed.

mod calendar;
mod customers;
mod employees;
mod files;
mod geography;
mod inventory;
mod products;
mod promotions;
mod random;
mod sales;
mod table;

pub(crate) use files::prepare;
pub(crate) use table::Table;

/// The seed of the demo that everybody sees.
pub(crate) const SEED: u64 = 1;
/// Its number of sales.
pub(crate) const ROWS: usize = 1_000_000;

/// The schema of its catalog.
pub(crate) const SCHEMA: &str = include_str!("demo.yaml");

/// Every table of the demo, with exactly `rows` sales; the other tables do not depend on `rows`, but for the units in
/// the inventory.
pub(crate) fn tables(seed: u64, rows: usize) -> Vec<Table> {
    let days = calendar::days();
    let cities = geography::cities();
    let stores = geography::stores(seed, &days);
    let products = products::products(seed);
    let customers = customers::customers(seed, &cities, &stores);
    let promotions = promotions::promotions(seed, &days);
    let employees = employees::employees(seed, &days, &cities, &stores);
    let world = sales::World {
        days: &days,
        stores: &stores,
        products: &products,
        customers: &customers,
        promotions: &promotions,
        employees: &employees,
    };
    let sales = sales::sales(seed, rows, &world);
    vec![
        calendar::dates_table(&days),
        geography::stores_table(&stores, &cities),
        products::products_table(&products),
        promotions::promotions_table(&promotions, &days),
        employees::employees_table(&employees, &stores),
        employees::salaries_table(seed, &employees),
        inventory::inventory_table(seed, &stores, &products, &sales.units),
        customers.table,
        sales.table,
    ]
}

#[cfg(test)]
mod tests;
