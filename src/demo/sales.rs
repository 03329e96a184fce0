//! The sales: receipts of a few lines each, with seasons, weekdays, growth, prices and promotions in them.

use super::calendar::{Day, MONTHS};
use super::customers::{CUSTOMERS, Customers};
use super::employees::Employee;
use super::geography::Store;
use super::products::{Product, SUBCATEGORIES, department_of};
use super::promotions::{Promotion, by_day};
use super::random::{Random, Weighted};
use super::table::{Table, ints, money, table};

/// Shares of the weekdays from Monday on, in hundredths of the average.
const WEEKDAYS: [u64; 7] = [84, 82, 88, 96, 128, 158, 64];
/// The whole shop's months, in hundredths of the average.
const MONTH_SHARES: [u64; 12] = [88, 84, 94, 98, 102, 99, 97, 95, 98, 101, 116, 128];
/// Lines of a receipt, by weight: one line is the most frequent.
const LINES: [u64; 8] = [34, 24, 15, 10, 7, 5, 3, 2];
/// What prices have become in each year, in thousandths of the first.
const PRICES: [u32; 3] = [1000, 1031, 1049];

/// What sales are made of.
pub(super) struct World<'a> {
    pub(super) days: &'a [Day],
    pub(super) stores: &'a [Store],
    pub(super) products: &'a [Product],
    pub(super) customers: &'a Customers,
    pub(super) promotions: &'a [Promotion],
    pub(super) employees: &'a [Employee],
}

/// The sales, and how many units each store sold of each subcategory in each month.
pub(super) struct Sales {
    /// The table `sales`.
    pub(super) table: Table,
    /// Units by month, store and subcategory, in this order.
    pub(super) units: Vec<u32>,
}

/// Columns of the table while they grow.
struct Columns {
    receipt: Vec<i32>,
    date: Vec<i32>,
    store: Vec<i32>,
    product: Vec<i32>,
    customer: Vec<i32>,
    promotion: Vec<i32>,
    employee: Vec<i32>,
    quantity: Vec<i32>,
    amount: Vec<i32>,
    discount: Vec<i32>,
    cost: Vec<i32>,
}

/// How much a day sells, without unit.
fn day_weight(day: Day, index: usize, random: &mut Random) -> u64 {
    // The shop grows by about a seventh a year, evenly.
    let growth = 1_000 + index as u64 * 400 / 1_096;
    let closed = day.month == 12 && matches!(day.day, 25 | 26) || day.month == 1 && day.day == 1;
    let weather = u64::from(random.between(90, 110));
    if closed { 0 } else { growth * MONTH_SHARES[day.month as usize - 1] * WEEKDAYS[day.weekday] * weather }
}

/// For each day the number of rows up to its end, so that all days together have exactly `rows`.
fn row_ends(days: &[Day], rows: usize, random: &mut Random) -> Vec<usize> {
    let mut sum = 0u64;
    let sums: Vec<u64> = days
        .iter()
        .enumerate()
        .map(|(i, day)| {
            sum += day_weight(*day, i, random);
            sum
        })
        .collect();
    sums.iter().map(|s| (*s as u128 * rows as u128 / sum as u128) as usize).collect()
}

/// The fixed odds, made once.
struct Odds {
    lines: Weighted,
    /// Products by month of the year.
    products: Vec<Weighted>,
    /// Stores by month of the demo: only those that are open.
    stores: Vec<Weighted>,
    /// The department of each product.
    department: Vec<usize>,
    /// The first sellers of each store, as positions among the employees; sellers of a store stand together.
    sellers: Vec<(u32, u32)>,
}

impl Odds {
    fn new(world: &World) -> Self {
        let products =
            |month: usize| Weighted::new(&world.products.iter().map(|p| p.weights[month]).collect::<Vec<_>>());
        let open = |month: usize| {
            let weight = |s: &Store| if s.first_month <= month { s.weight } else { 0 };
            Weighted::new(&world.stores.iter().map(weight).collect::<Vec<_>>())
        };
        let sellers = (0..world.stores.len()).map(|store| {
            let here = |e: &Employee| e.store == Some(store);
            let first = world.employees.iter().position(here).unwrap_or(0);
            (first as u32, world.employees.iter().filter(|e| here(e)).count().max(1) as u32)
        });
        Odds {
            lines: Weighted::new(&LINES),
            products: (0..12).map(products).collect(),
            stores: (0..MONTHS).map(open).collect(),
            department: world.products.iter().map(|p| department_of(p.shelf)).collect(),
            sellers: sellers.collect(),
        }
    }
}

/// Exactly `rows` sales.
pub(super) fn sales(seed: u64, rows: usize, world: &World) -> Sales {
    let mut random = Random::new(seed, 7);
    let ends = row_ends(world.days, rows, &mut random);
    let odds = Odds::new(world);
    let active = by_day(world.promotions, world.days.len());
    let mut columns = Columns::new(rows);
    let mut units = vec![0; MONTHS * world.stores.len() * SUBCATEGORIES];
    let mut receipt = 0;
    for (index, &day) in world.days.iter().enumerate() {
        while columns.date.len() < ends[index] {
            receipt += 1;
            let lines = (odds.lines.draw(&mut random) + 1).min(ends[index] - columns.date.len());
            let store = odds.stores[day.month_index()].draw(&mut random);
            let neighbours = &world.customers.by_city[world.stores[store].city];
            let customer = match neighbours.len() as u32 {
                n if n > 0 && random.chance(930) => neighbours[random.skewed(n) as usize],
                _ => random.below(CUSTOMERS as u32),
            };
            let (first, count) = odds.sellers[store];
            let seller = &world.employees[(first + random.below(count)) as usize];
            // Who is not there yet is stood in for by the store's manager.
            let seller = if seller.hired.number <= day.number { seller.id } else { world.employees[first as usize].id };
            let tally = (day.month_index() * world.stores.len() + store) * SUBCATEGORIES;
            for _ in 0..lines {
                let which = odds.products[day.month as usize - 1].draw(&mut random);
                let product = &world.products[which];
                let running = active[index][odds.department[which]];
                let promotion = &world.promotions[if random.chance(700) { running } else { 0 }];
                let quantity = quantity(product.price, promotion.discount, &mut random);
                units[tally + product.shelf] += quantity;
                columns.receipt.push(receipt);
                columns.date.push(day.key());
                columns.store.push(world.stores[store].id);
                columns.product.push(product.id);
                columns.customer.push(customer as i32 + 1);
                columns.promotion.push(promotion.id);
                columns.employee.push(seller);
                columns.push_money(product, promotion, quantity, PRICES[day.month_index() / 12]);
            }
        }
    }
    Sales { table: columns.table(), units }
}

/// Cheap things are bought by the handful, and a discount tempts.
fn quantity(price: u32, discount: u32, random: &mut Random) -> u32 {
    let most = match price {
        0..600 => 6,
        600..2_000 => 3,
        2_000..6_000 => 2,
        _ => 1,
    };
    let wanted = 1 + random.skewed(most);
    if random.chance(discount * 15) { wanted + 1 } else { wanted }
}

impl Columns {
    fn new(rows: usize) -> Self {
        let column = || Vec::with_capacity(rows);
        Columns {
            receipt: column(),
            date: column(),
            store: column(),
            product: column(),
            customer: column(),
            promotion: column(),
            employee: column(),
            quantity: column(),
            amount: column(),
            discount: column(),
            cost: column(),
        }
    }

    fn push_money(&mut self, product: &Product, promotion: &Promotion, quantity: u32, prices: u32) {
        let full = product.price * prices / 1000 * quantity;
        let discount = full * promotion.discount / 100;
        self.quantity.push(quantity as i32);
        self.amount.push((full - discount) as i32);
        self.discount.push(discount as i32);
        // What the chain pays follows its own prices, a little behind.
        self.cost.push((product.cost * ((1000 + prices) / 2) / 1000 * quantity) as i32);
    }

    fn table(self) -> Table {
        table(
            "sales",
            [
                ("receipt", ints(self.receipt)),
                ("date_key", ints(self.date)),
                ("store_id", ints(self.store)),
                ("product_id", ints(self.product)),
                ("customer_id", ints(self.customer)),
                ("promotion_id", ints(self.promotion)),
                ("employee_id", ints(self.employee)),
                ("quantity", ints(self.quantity)),
                ("amount", money(self.amount)),
                ("discount", money(self.discount)),
                ("cost", money(self.cost)),
            ],
        )
    }
}
