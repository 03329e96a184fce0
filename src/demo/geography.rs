//! Where the chain is: countries, regions, cities, and the stores in them.

use super::calendar::{Day, MONTHS};
use super::random::Random;
use super::table::{Table, dates, ints, table, texts};

/// Country, region, city and how many stores the city has.
const CITIES: &[(&str, &str, &str, u32)] = &[
    ("France", "Brittany", "Brest", 1),
    ("France", "Brittany", "Rennes", 1),
    ("France", "Ile-de-France", "Paris", 4),
    ("France", "Ile-de-France", "Versailles", 1),
    ("France", "Occitanie", "Montpellier", 1),
    ("France", "Occitanie", "Toulouse", 2),
    ("Germany", "Bavaria", "Augsburg", 1),
    ("Germany", "Bavaria", "Munich", 3),
    ("Germany", "Bavaria", "Nuremberg", 1),
    ("Germany", "Hamburg", "Hamburg", 3),
    ("Germany", "Hesse", "Frankfurt", 2),
    ("Germany", "Hesse", "Kassel", 1),
    ("Germany", "Saxony", "Dresden", 1),
    ("Germany", "Saxony", "Leipzig", 2),
    ("Italy", "Lombardy", "Bergamo", 1),
    ("Italy", "Lombardy", "Milan", 3),
    ("Italy", "Piedmont", "Turin", 2),
    ("Italy", "Tuscany", "Florence", 1),
    ("Italy", "Tuscany", "Pisa", 1),
    ("Netherlands", "North Holland", "Amsterdam", 2),
    ("Netherlands", "North Holland", "Haarlem", 1),
    ("Netherlands", "South Holland", "Rotterdam", 2),
    ("Netherlands", "South Holland", "The Hague", 1),
    ("Netherlands", "Utrecht", "Utrecht", 1),
    ("Spain", "Andalusia", "Malaga", 1),
    ("Spain", "Andalusia", "Seville", 1),
    ("Spain", "Catalonia", "Barcelona", 3),
    ("Spain", "Catalonia", "Girona", 1),
    ("Spain", "Valencia", "Alicante", 1),
    ("Spain", "Valencia", "Valencia", 2),
    ("United Kingdom", "England", "Bristol", 1),
    ("United Kingdom", "England", "Leeds", 1),
    ("United Kingdom", "England", "London", 5),
    ("United Kingdom", "England", "Manchester", 2),
    ("United Kingdom", "Scotland", "Edinburgh", 1),
    ("United Kingdom", "Scotland", "Glasgow", 1),
    ("United Kingdom", "Wales", "Cardiff", 1),
];

const STREETS: &[&str] = &["Market Square", "Station", "Harbour", "Old Town", "West Gate", "Ring Road"];

/// A city.
pub(super) struct City {
    pub(super) country: &'static str,
    pub(super) region: &'static str,
    pub(super) name: &'static str,
}

/// A store.
pub(super) struct Store {
    /// From 1.
    pub(super) id: i32,
    pub(super) name: String,
    /// Index into the cities.
    pub(super) city: usize,
    pub(super) format: &'static str,
    pub(super) square_metres: i32,
    /// The day it opened; some opened while the demo's three years run.
    pub(super) opened: Day,
    /// The first month, counted from the demo's first, in which it sells.
    pub(super) first_month: usize,
    /// Share of the chain's sales, without unit.
    pub(super) weight: u64,
}

/// Every city that has stores.
pub(super) fn cities() -> Vec<City> {
    CITIES.iter().map(|&(country, region, name, _)| City { country, region, name }).collect()
}

/// Every store.
pub(super) fn stores(seed: u64, days: &[Day]) -> Vec<Store> {
    let mut random = Random::new(seed, 1);
    let mut stores = Vec::new();
    for (city, &(_, _, name, count)) in CITIES.iter().enumerate() {
        for (nth, street) in STREETS.iter().enumerate().take(count as usize) {
            let (format, low, high) = match random.below(10) {
                0..2 => ("Flagship", 2_400, 4_200),
                2..7 => ("Standard", 900, 2_000),
                _ => ("Compact", 250, 700),
            };
            let square_metres = random.between(low, high);
            let opens_late = nth > 0 && random.chance(220);
            let opened = if opens_late { days[random.between(90, 900) as usize] } else { days[0] };
            let name = if count == 1 { name.to_string() } else { format!("{name} {street}") };
            stores.push(Store {
                id: stores.len() as i32 + 1,
                name,
                city,
                format,
                square_metres: square_metres as i32,
                opened,
                // It sells from the first whole month on.
                first_month: if opens_late { (opened.month_index() + 1).min(MONTHS - 1) } else { 0 },
                weight: u64::from(400 + square_metres) * u64::from(random.between(80, 120)),
            });
        }
    }
    stores
}

/// The table `stores`.
pub(super) fn stores_table(stores: &[Store], cities: &[City]) -> Table {
    let int = |f: fn(&Store) -> i32| ints(stores.iter().map(f).collect());
    let place = |f: fn(&City) -> &'static str| texts(stores.iter().map(|s| f(&cities[s.city])));
    table(
        "stores",
        [
            ("store_id", int(|s| s.id)),
            ("store", texts(stores.iter().map(|s| &s.name))),
            ("city", place(|c| c.name)),
            ("region", place(|c| c.region)),
            ("country", place(|c| c.country)),
            ("format", texts(stores.iter().map(|s| s.format))),
            ("square_metres", int(|s| s.square_metres)),
            ("opened", dates(stores.iter().map(|s| s.opened.number).collect())),
        ],
    )
}
