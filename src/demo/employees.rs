//! Who works for the chain, as a tree of managers, and what each earns by month.

use super::calendar::{Day, MONTHS, month_keys};
use super::customers::person;
use super::geography::{City, Store};
use super::random::Random;
use super::table::{Table, dates, ints, money, optional_ints, table, texts};

/// An employee.
pub(super) struct Employee {
    /// From 1.
    pub(super) id: i32,
    /// The manager's id; none for the one at the top.
    pub(super) manager: Option<i32>,
    pub(super) name: String,
    pub(super) gender: &'static str,
    pub(super) title: &'static str,
    /// Where they work; none for headquarters.
    pub(super) store: Option<usize>,
    pub(super) hired: Day,
    /// Cents a month, in the first year.
    pub(super) salary: u32,
}

/// A post to fill.
#[derive(Clone, Copy)]
struct Post {
    title: &'static str,
    store: Option<usize>,
    /// The middle of what it earns in a month, in units of money; most assistants work part time.
    pay: u32,
    /// The day from which on there is the post.
    from: usize,
    /// How many of a thousand holders came later than that.
    late: u32,
}

impl Post {
    /// A post at headquarters whose holder was there before the demo's first day.
    fn office(title: &'static str, pay: u32) -> Self {
        Post { title, store: None, pay, from: 0, late: 0 }
    }
}

/// Collects employees and gives them ids.
struct Staff<'a> {
    random: Random,
    days: &'a [Day],
    employees: Vec<Employee>,
}

impl Staff<'_> {
    /// Hires somebody and answers the id.
    fn hire(&mut self, manager: Option<i32>, post: Post) -> i32 {
        let (name, female) = person(&mut self.random);
        let last = self.days.len() as u32 - 60;
        let late = self.random.chance(post.late) && (post.from as u32) < last;
        let hired = if late { self.random.between(post.from as u32, last) as usize } else { post.from };
        let id = self.employees.len() as i32 + 1;
        self.employees.push(Employee {
            id,
            manager,
            name,
            gender: if female { "Female" } else { "Male" },
            title: post.title,
            store: post.store,
            hired: self.days[hired],
            salary: post.pay * self.random.between(88, 118),
        });
        id
    }
}

/// Every employee: headquarters, a manager for each country, region and store, and the people of the stores.
/// The people of a store stand together, and the first two of them are there from its first day on.
pub(super) fn employees(seed: u64, days: &[Day], cities: &[City], stores: &[Store]) -> Vec<Employee> {
    let mut staff = Staff { random: Random::new(seed, 5), days, employees: Vec::with_capacity(600) };
    let top = staff.hire(None, Post::office("Chief Executive", 9_500));
    for (title, office) in [
        ("Chief Financial Officer", "Accountant"),
        ("Head of Purchasing", "Buyer"),
        ("Head of Technology", "Engineer"),
        ("Head of Marketing", "Marketing Manager"),
    ] {
        let head = staff.hire(Some(top), Post::office(title, 6_000));
        for _ in 0..staff.random.between(5, 8) {
            staff.hire(Some(head), Post { late: 200, ..Post::office(office, 2_200) });
        }
    }
    let operations = staff.hire(Some(top), Post::office("Head of Stores", 6_400));
    let (mut country, mut region) = (("", operations), ("", operations));
    for (index, store) in stores.iter().enumerate() {
        let city = &cities[store.city];
        if country.0 != city.country {
            country = (city.country, staff.hire(Some(operations), Post::office("Country Manager", 5_200)));
        }
        if region.0 != city.region {
            region = (city.region, staff.hire(Some(country.1), Post::office("Region Manager", 3_900)));
        }
        let from = days.iter().position(|d| d.number == store.opened.number).unwrap_or(0);
        let post = |title, pay, late| Post { title, store: Some(index), pay, from, late };
        let manager = staff.hire(Some(region.1), post("Store Manager", 2_000, 0));
        let deputy = staff.hire(Some(manager), post("Deputy Store Manager", 1_300, 0));
        for _ in 0..4 + store.square_metres / 700 {
            let boss = if staff.random.chance(600) { deputy } else { manager };
            staff.hire(Some(boss), post("Sales Assistant", 700, 250));
        }
    }
    staff.employees
}

/// The table `employees`.
pub(super) fn employees_table(employees: &[Employee], stores: &[Store]) -> Table {
    let text = |f: fn(&Employee) -> &str| texts(employees.iter().map(f));
    table(
        "employees",
        [
            ("employee_id", ints(employees.iter().map(|e| e.id).collect())),
            ("manager_id", optional_ints(employees.iter().map(|e| e.manager).collect())),
            ("employee", text(|e| &e.name)),
            ("title", text(|e| e.title)),
            ("gender", text(|e| e.gender)),
            ("workplace", texts(employees.iter().map(|e| e.store.map_or("Headquarters", |s| &stores[s].name)))),
            ("hired", dates(employees.iter().map(|e| e.hired.number).collect())),
        ],
    )
}

/// The table `salaries`: a row for each employee and month from the month of hiring on.
pub(super) fn salaries_table(seed: u64, employees: &[Employee]) -> Table {
    let mut random = Random::new(seed, 6);
    let (mut months, mut ids, mut salaries, mut bonuses) = (vec![], vec![], vec![], vec![]);
    for (index, key) in month_keys().into_iter().enumerate() {
        let raise = [1000, 1025, 1048][index / 12];
        for employee in employees.iter().filter(|e| e.hired.month_index() <= index) {
            let salary = employee.salary * raise / 1000;
            // A bonus is paid each December, and to some in June.
            let share = match index % 12 {
                11 => random.between(20, 110),
                5 if random.chance(350) => random.between(10, 50),
                _ => 0,
            };
            months.push(key);
            ids.push(employee.id);
            salaries.push(salary as i32);
            bonuses.push((salary * share / 100) as i32);
        }
    }
    debug_assert!(months.len() <= employees.len() * MONTHS);
    table(
        "salaries",
        [
            ("month_key", ints(months)),
            ("employee_id", ints(ids)),
            ("salary", money(salaries)),
            ("bonus", money(bonuses)),
        ],
    )
}

#[cfg(test)]
mod tests {
    use super::super::{calendar, geography};
    use super::*;

    #[test]
    fn managers_come_before_their_people() {
        let days = calendar::days();
        let (cities, stores) = (geography::cities(), geography::stores(1, &days));
        let employees = employees(1, &days, &cities, &stores);
        assert!((400..600).contains(&employees.len()), "{}", employees.len());
        assert_eq!(employees.iter().filter(|e| e.manager.is_none()).count(), 1);
        for employee in &employees[1..] {
            assert!(employee.manager.is_some_and(|m| m > 0 && m < employee.id), "{}", employee.id);
        }
    }
}
