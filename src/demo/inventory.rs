//! The stock: what each store has of each subcategory at the end of each month. Coarser than sales, by design.

use super::calendar::{MONTHS, month_keys};
use super::geography::Store;
use super::products::{Product, SUBCATEGORIES, subcategory_key};
use super::random::Random;
use super::table::{Table, ints, money, table};

/// The table `inventory`, from the units that were sold by month, store and subcategory.
pub(super) fn inventory_table(seed: u64, stores: &[Store], products: &[Product], sold: &[u32]) -> Table {
    let mut random = Random::new(seed, 8);
    let worth = mean_costs(products);
    let slots = stores.len() * SUBCATEGORIES;
    let mut stock = vec![0u32; slots];
    let rows = MONTHS * slots;
    let column = || Vec::with_capacity(rows);
    let (mut months, mut shops, mut shelves) = (column(), column(), column());
    let (mut received, mut sold_units, mut on_hand, mut value) = (column(), column(), column(), column());
    for (month, key) in month_keys().into_iter().enumerate() {
        for (slot, stock) in stock.iter_mut().enumerate() {
            let (store, shelf) = (&stores[slot / SUBCATEGORIES], slot % SUBCATEGORIES);
            if store.first_month > month {
                continue;
            }
            let sold = sold[month * slots + slot];
            // Buyers aim at a month and a half of sales, never at less than a few pieces.
            let aim = sold * random.between(120, 180) / 100 + random.between(2, 12);
            let arrived = (sold + aim).saturating_sub(*stock);
            *stock = *stock + arrived - sold;
            months.push(key);
            shops.push(store.id);
            shelves.push(subcategory_key(shelf));
            received.push(arrived as i32);
            sold_units.push(sold as i32);
            on_hand.push(*stock as i32);
            value.push((*stock * worth[shelf]) as i32);
        }
    }
    table(
        "inventory",
        [
            ("month_key", ints(months)),
            ("store_id", ints(shops)),
            ("subcategory_key", ints(shelves)),
            ("units_received", ints(received)),
            ("units_sold", ints(sold_units)),
            ("units_on_hand", ints(on_hand)),
            ("stock_value", money(value)),
        ],
    )
}

/// What a piece of each subcategory costs on average, in cents.
fn mean_costs(products: &[Product]) -> Vec<u32> {
    let mut sums = vec![(0, 0); SUBCATEGORIES];
    for product in products {
        sums[product.shelf].0 += product.cost;
        sums[product.shelf].1 += 1;
    }
    sums.into_iter().map(|(sum, count)| sum / count.max(1)).collect()
}
