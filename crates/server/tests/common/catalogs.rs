//! The catalogs that worlds serve: two without cubes always, and a small shop where a script asks for it.

use facetta_model::catalog::Catalog;
use facetta_model::{Compatibility, Context, Error, Result, RowsRequest, Rowset, Snapshot, Subcube, SubcubeRequest};
use facetta_server::clock::Clock;
use facetta_server::{Handle, Settings, start_with};
use jiff::civil::date;
use std::fmt::Write;
use std::io;
use std::path::Path;
use std::sync::Arc;

/// A catalog without cubes.
struct Bare(Arc<Catalog>);

impl Snapshot for Bare {
    fn catalog(&self) -> &Arc<Catalog> {
        &self.0
    }

    fn data_version(&self) -> u64 {
        1
    }

    fn subcube(&self, _: &SubcubeRequest, _: &Context) -> Result<Subcube> {
        Ok(Subcube::default())
    }

    fn source_rows(&self, _: &RowsRequest, _: &Context) -> Result<Rowset> {
        Ok(Rowset::of(Vec::new(), Vec::new()))
    }
}

/// The catalogs Sales and HR, without cubes.
pub fn bare() -> Vec<(String, Arc<dyn Snapshot>)> {
    let one = |name: &str| {
        let catalog = Catalog {
            name: name.to_owned(),
            description: None,
            compatibility: Compatibility::AnalysisServices,
            dimensions: Vec::new(),
            measure_groups: Vec::new(),
            cubes: Vec::new(),
            roles: Vec::new(),
            global_definitions: Arc::default(),
            last_schema_update: date(2024, 1, 2).at(3, 4, 5, 0),
            last_data_update: date(2024, 1, 2).at(3, 4, 5, 0),
        };
        (name.to_owned(), Arc::new(Bare(Arc::new(catalog))) as Arc<dyn Snapshot>)
    };
    vec![one("Sales"), one("HR")]
}

/// The shop: six sales of four products in four quarters, and a cube of five dimensions with a hundred members each, whose
/// crossjoin nobody can wait for.
const SHOP: &str = "
catalog: Shop
dimensions:
  Time:
    table: quarters
    key: quarter_id
    hierarchies:
      Calendar:
        levels:
          Year: year
          Quarter: {key: quarter_id, name: quarter}
  Product:
    table: products
    key: product_id
    hierarchies:
      Products:
        levels:
          Category: category
          Product: {key: product_id, name: product}
  A: {table: numbers, key: id, hierarchies: {A: {levels: {A: id}}}}
  B: {table: numbers, key: id, hierarchies: {B: {levels: {B: id}}}}
  C: {table: numbers, key: id, hierarchies: {C: {levels: {C: id}}}}
  D: {table: numbers, key: id, hierarchies: {D: {levels: {D: id}}}}
  E: {table: numbers, key: id, hierarchies: {E: {levels: {E: {key: id, properties: {The Number: number}}}}}}
cubes:
  Shop:
    default_measure: Amount
    measure_groups:
      Sales:
        fact: sales
        dimensions: {Time: quarter_id, Product: product_id}
        measures:
          Amount: {value: sum(amount), format: '#,##0.00'}
          Units: {value: sum(units)}
          Sales Count: {value: count}
  Wide:
    measure_groups:
      Numbers:
        fact: numbers
        dimensions: {A: id, B: id, C: id, D: id, E: id}
        measures:
          Number: {value: sum(number)}
";

const TABLES: [(&str, &str); 3] = [
    ("quarters", "quarter_id,year,quarter\n1,2023,Q1\n2,2023,Q2\n3,2024,Q1\n4,2024,Q2\n"),
    ("products", "product_id,category,product\n1,Drink,Coffee\n2,Drink,Tea\n3,Food,Bread\n4,Food,Cake\n"),
    (
        "sales",
        "quarter_id,product_id,amount,units\n1,1,10.00,2\n1,3,5.50,1\n2,2,7.25,3\n3,1,20.00,4\n3,4,3.25,1\n4,3,4.00,2\n",
    ),
];

/// A server of this machine's time that serves the shop from a folder, and keeps its state there.
pub fn serve_shop(folder: &Path) -> Result<Handle> {
    let flags = [
        ("listen", "127.0.0.1:0".to_owned()),
        ("data_dir", folder.join("data").display().to_string()),
        ("catalog", write_shop(folder).map_err(Error::internal)?),
    ];
    let settings = Settings::load(None, [], flags.map(|(name, value)| (name.to_owned(), value)))?;
    let handle = start_with(settings, Clock::machine(), Vec::new())?;
    handle.wait_ready()?;
    Ok(handle)
}

/// Writes the shop's schema and data into a folder; the value of the key `catalog` that serves it.
pub fn write_shop(folder: &Path) -> io::Result<String> {
    let source = folder.join("shop");
    std::fs::create_dir_all(&source)?;
    for (name, text) in TABLES {
        std::fs::write(source.join(name).with_extension("csv"), text)?;
    }
    let mut numbers = "id,number\n".to_owned();
    for id in 0..100 {
        // Writing to a String does not fail.
        let _ = writeln!(numbers, "{id},{}", id * 7 % 11);
    }
    std::fs::write(source.join("numbers.csv"), numbers)?;
    let schema = folder.join("shop.yaml");
    std::fs::write(&schema, SHOP)?;
    Ok(format!("Shop={},{}", schema.display(), source.display()))
}
