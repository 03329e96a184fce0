//! Who buys: 20,000 customers around the stores.

use super::geography::{City, Store};
use super::random::{Random, Weighted};
use super::table::{Table, ints, table, texts};

/// How many customers there are.
pub(super) const CUSTOMERS: usize = 20_000;

const FEMALE: &[&str] = &[
    "Agnes", "Alice", "Anna", "Beatriz", "Carla", "Chiara", "Clara", "Eline", "Emma", "Femke", "Freya", "Giulia",
    "Hanna", "Helen", "Ingrid", "Jana", "Julie", "Katja", "Laura", "Lea", "Lotte", "Lucia", "Margaux", "Maria",
    "Marta", "Mia", "Nina", "Nora", "Olivia", "Paula", "Rosa", "Sanne", "Sara", "Sofia", "Sophie", "Tess",
];
const MALE: &[&str] = &[
    "Adam", "Alvaro", "Andrea", "Arthur", "Ben", "Bram", "Carlos", "Daan", "David", "Diego", "Emil", "Enzo", "Felix",
    "George", "Hugo", "Jack", "Jan", "Javier", "Jonas", "Karl", "Lars", "Leo", "Louis", "Luca", "Marc", "Marco",
    "Matteo", "Max", "Nils", "Oliver", "Oscar", "Pablo", "Paul", "Pierre", "Ruben", "Thomas",
];
const LAST: &[&str] = &[
    "Adler", "Allen", "Arnaud", "Bakker", "Barnes", "Becker", "Bianchi", "Blanc", "Bos", "Brandt", "Brown", "Castro",
    "Clark", "Colombo", "Conti", "Cooper", "de Boer", "de Vries", "Diaz", "Dijkstra", "Dubois", "Evans", "Faure",
    "Ferrari", "Fischer", "Fontaine", "Garcia", "Gil", "Girard", "Greco", "Hall", "Hartmann", "Hughes", "Jansen",
    "Keller", "Koch", "Lambert", "Lang", "Leroy", "Lopez", "Marino", "Martin", "Meijer", "Mercier", "Moore", "Morgan",
    "Navarro", "Neumann", "Ortega", "Parker", "Price", "Ramos", "Ricci", "Richter", "Romano", "Roux", "Ruiz", "Sanz",
    "Schmitt", "Scott", "Serrano", "Simon", "Smit", "Stein", "Vega", "Vidal", "Visser", "Vogel", "Walker", "Weber",
    "Wood", "Young",
];

/// Age bands by their lower end, the share in a hundred, and the name.
const AGES: [(i32, u64, &str); 6] =
    [(18, 12, "18-24"), (25, 21, "25-34"), (35, 22, "35-44"), (45, 18, "45-54"), (55, 15, "55-64"), (65, 12, "65+")];

const CARDS: [(&str, u64); 4] = [("None", 38), ("Bronze", 34), ("Silver", 19), ("Gold", 9)];

/// A first and a last name, and whether she is a woman.
pub(super) fn person(random: &mut Random) -> (String, bool) {
    let female = random.chance(520);
    let first = random.pick(if female { FEMALE } else { MALE });
    (format!("{first} {}", random.pick(LAST)), female)
}

/// A customer, as far as sales need to know.
pub(super) struct Customers {
    /// For each city the customers who live there, by position.
    pub(super) by_city: Vec<Vec<u32>>,
    /// The table `customers`.
    pub(super) table: Table,
}

/// Every customer.
pub(super) fn customers(seed: u64, cities: &[City], stores: &[Store]) -> Customers {
    let mut random = Random::new(seed, 3);
    let mut weights = vec![0; cities.len()];
    for store in stores {
        weights[store.city] += store.weight;
    }
    let home = Weighted::new(&weights);
    let age = Weighted::new(&AGES.map(|(_, share, _)| share));
    let card = Weighted::new(&CARDS.map(|(_, share)| share));
    let mut by_city = vec![Vec::new(); cities.len()];
    let (mut names, mut genders, mut bands, mut cards) = (vec![], vec![], vec![], vec![]);
    let (mut homes, mut children) = (vec![], vec![]);
    for customer in 0..CUSTOMERS {
        let (name, female) = person(&mut random);
        let city = home.draw(&mut random);
        by_city[city].push(customer as u32);
        names.push(name);
        genders.push(if female { "Female" } else { "Male" });
        bands.push(AGES[age.draw(&mut random)].2);
        cards.push(CARDS[card.draw(&mut random)].0);
        homes.push(city);
        children.push(if random.chance(450) { 0 } else { random.between(1, 4) as i32 });
    }
    let place = |f: fn(&City) -> &'static str| texts(homes.iter().map(|&c| f(&cities[c])));
    let table = table(
        "customers",
        [
            ("customer_id", ints((1..=CUSTOMERS as i32).collect())),
            ("customer", texts(&names)),
            ("gender", texts(&genders)),
            ("age_band", texts(&bands)),
            ("member_card", texts(&cards)),
            ("children", ints(children)),
            ("city", place(|c| c.name)),
            ("region", place(|c| c.region)),
            ("country", place(|c| c.country)),
        ],
    );
    Customers { by_city, table }
}
