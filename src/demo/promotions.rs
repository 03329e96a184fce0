//! Promotions: a time, a department, a discount.

use super::calendar::{Day, YEARS};
use super::products::departments;
use super::random::Random;
use super::table::{Table, dates, ints, table, texts};

/// A promotion; the first one is "no promotion".
pub(super) struct Promotion {
    /// From 0: no promotion.
    pub(super) id: i32,
    pub(super) name: String,
    pub(super) medium: &'static str,
    /// Index of the department; none is the whole shop.
    pub(super) department: Option<usize>,
    /// Percent off.
    pub(super) discount: u32,
    /// First and last day, as indexes into the days.
    pub(super) days: (usize, usize),
}

/// Name, first day of the year, length in days, percent off, department by name or the whole shop.
const YEARLY: &[(&str, usize, usize, u32, Option<&str>)] = &[
    ("Winter Sale", 4, 20, 25, None),
    ("White Weeks", 28, 18, 15, Some("Home")),
    ("Spring Garden", 75, 28, 12, Some("Garden")),
    ("Bike Days", 108, 10, 10, Some("Sport")),
    ("Summer Opening", 150, 16, 10, Some("Garden")),
    ("Summer Sale", 186, 24, 20, Some("Clothing")),
    ("Back to School", 222, 26, 15, Some("Paper")),
    ("Kitchen Weeks", 268, 16, 18, Some("Kitchen")),
    ("Cyber Days", 326, 8, 22, Some("Electronics")),
    ("Late November", 328, 4, 30, None),
    ("Winter Gifts", 340, 16, 8, Some("Paper")),
    ("Last Week", 357, 7, 12, Some("Home")),
];
const MEDIA: &[&str] = &["Leaflet", "Radio", "Newsletter", "Online", "In Store"];

/// Every promotion.
pub(super) fn promotions(seed: u64, days: &[Day]) -> Vec<Promotion> {
    let mut random = Random::new(seed, 4);
    let departments = departments();
    let none = Promotion {
        id: 0,
        name: "No Promotion".to_string(),
        medium: "None",
        department: None,
        discount: 0,
        days: (0, days.len() - 1),
    };
    let mut promotions = vec![none];
    for year in 0..YEARS {
        let first = days.iter().position(|d| d.year == days[0].year + year as i32).unwrap_or(0);
        for &(name, start, length, discount, department) in YEARLY {
            let start = first + start + random.below(4) as usize;
            promotions.push(Promotion {
                id: promotions.len() as i32,
                name: format!("{name} {}", days[first].year),
                medium: random.pick(MEDIA),
                department: department.and_then(|name| departments.iter().position(|d| *d == name)),
                discount,
                days: (start, (start + length).min(days.len() - 1)),
            });
        }
    }
    promotions
}

/// For each day and department, the promotion that holds: that of the department before that of the whole shop.
pub(super) fn by_day(promotions: &[Promotion], days: usize) -> Vec<Vec<usize>> {
    let departments = departments().len();
    let mut active = vec![vec![0; departments]; days];
    for (index, promotion) in promotions.iter().enumerate().skip(1) {
        for day in &mut active[promotion.days.0..=promotion.days.1] {
            match promotion.department {
                Some(department) => day[department] = index,
                None => day.iter_mut().filter(|p| **p == 0).for_each(|p| *p = index),
            }
        }
    }
    active
}

/// The table `promotions`.
pub(super) fn promotions_table(promotions: &[Promotion], days: &[Day]) -> Table {
    let departments = departments();
    table(
        "promotions",
        [
            ("promotion_id", ints(promotions.iter().map(|p| p.id).collect())),
            ("promotion", texts(promotions.iter().map(|p| &p.name))),
            ("medium", texts(promotions.iter().map(|p| p.medium))),
            ("scope", texts(promotions.iter().map(|p| p.department.map_or("Whole Shop", |d| departments[d])))),
            ("discount_percent", ints(promotions.iter().map(|p| p.discount as i32).collect())),
            ("starts", dates(promotions.iter().map(|p| days[p.days.0].number).collect())),
            ("ends", dates(promotions.iter().map(|p| days[p.days.1].number).collect())),
        ],
    )
}
