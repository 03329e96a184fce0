//! What the chain sells: departments, categories, subcategories, products.

use super::random::Random;
use super::table::{Table, ints, money, table, texts};

/// When in the year a subcategory sells: thousandths of the average, by month.
type Season = [u64; 12];

const EVEN: Season = [960, 920, 980, 990, 1000, 1000, 980, 960, 1000, 1020, 1090, 1100];
const SPRING: Season = [500, 700, 1300, 1700, 1750, 1400, 1050, 850, 850, 700, 550, 650];
const SUMMER: Season = [400, 450, 700, 1050, 1500, 1900, 1950, 1500, 900, 600, 500, 550];
const WINTER: Season = [1500, 1300, 900, 600, 450, 400, 400, 550, 1000, 1400, 1750, 1750];
const GIFTS: Season = [700, 750, 800, 850, 900, 850, 800, 800, 850, 1000, 1650, 2050];
const SCHOOL: Season = [950, 850, 850, 850, 850, 900, 1100, 1750, 1500, 900, 750, 750];

/// A subcategory: where it stands, what a piece costs in cents, when it sells, how often, and the things in it.
struct Shelf {
    department: &'static str,
    category: &'static str,
    name: &'static str,
    prices: (u32, u32),
    season: &'static Season,
    popularity: u64,
    things: [&'static str; 4],
}

const fn shelf(
    path: [&'static str; 3],
    prices: (u32, u32),
    season: &'static Season,
    popularity: u64,
    things: [&'static str; 4],
) -> Shelf {
    let [department, category, name] = path;
    Shelf { department, category, name, prices, season, popularity, things }
}

#[rustfmt::skip]
const SHELVES: &[Shelf] = &[
    shelf(["Home", "Lighting", "Floor Lamps"], (3_900, 18_900), &WINTER, 8, ["Arc Lamp", "Reading Lamp", "Tripod Lamp", "Uplighter"]),
    shelf(["Home", "Lighting", "Table Lamps"], (1_900, 8_900), &WINTER, 14, ["Desk Lamp", "Bedside Lamp", "Glass Lamp", "Clip Lamp"]),
    shelf(["Home", "Lighting", "Bulbs"], (290, 1_490), &WINTER, 45, ["LED Bulb", "Filament Bulb", "Spot", "Tube"]),
    shelf(["Home", "Textiles", "Bed Linen"], (1_990, 11_900), &EVEN, 18, ["Duvet Cover", "Fitted Sheet", "Pillow Case", "Bed Set"]),
    shelf(["Home", "Textiles", "Towels"], (590, 3_990), &EVEN, 26, ["Hand Towel", "Bath Towel", "Beach Towel", "Bath Mat"]),
    shelf(["Home", "Textiles", "Curtains"], (1_490, 7_900), &SPRING, 9, ["Blackout Curtain", "Sheer Curtain", "Roman Blind", "Linen Curtain"]),
    shelf(["Home", "Decoration", "Candles"], (350, 2_490), &GIFTS, 38, ["Pillar Candle", "Scented Candle", "Tea Lights", "Lantern"]),
    shelf(["Home", "Decoration", "Frames"], (690, 4_490), &GIFTS, 20, ["Oak Frame", "Gallery Frame", "Poster Frame", "Photo Album"]),
    shelf(["Kitchen", "Cookware", "Pots"], (2_490, 15_900), &GIFTS, 13, ["Stock Pot", "Sauce Pot", "Casserole", "Steamer"]),
    shelf(["Kitchen", "Cookware", "Pans"], (1_990, 12_900), &GIFTS, 17, ["Frying Pan", "Crepe Pan", "Wok", "Grill Pan"]),
    shelf(["Kitchen", "Cookware", "Baking"], (690, 4_990), &WINTER, 25, ["Cake Tin", "Baking Tray", "Muffin Tin", "Rolling Pin"]),
    shelf(["Kitchen", "Tableware", "Plates"], (490, 3_490), &EVEN, 28, ["Dinner Plate", "Side Plate", "Pasta Bowl", "Platter"]),
    shelf(["Kitchen", "Tableware", "Glasses"], (290, 2_990), &EVEN, 34, ["Tumbler", "Wine Glass", "Highball", "Carafe"]),
    shelf(["Kitchen", "Tableware", "Cutlery"], (990, 12_900), &GIFTS, 12, ["Cutlery Set", "Steak Knives", "Teaspoons", "Salad Servers"]),
    shelf(["Kitchen", "Small Appliances", "Coffee"], (2_990, 49_900), &GIFTS, 15, ["Filter Machine", "Espresso Machine", "Grinder", "Milk Frother"]),
    shelf(["Kitchen", "Small Appliances", "Kettles and Toasters"], (1_990, 11_900), &EVEN, 16, ["Kettle", "Toaster", "Egg Boiler", "Waffle Iron"]),
    shelf(["Garden", "Plants", "Seeds"], (150, 690), &SPRING, 40, ["Tomato Seeds", "Herb Seeds", "Flower Meadow", "Lawn Seed"]),
    shelf(["Garden", "Plants", "Pots and Soil"], (390, 5_990), &SPRING, 30, ["Clay Pot", "Planter", "Potting Soil", "Balcony Box"]),
    shelf(["Garden", "Tools", "Hand Tools"], (590, 4_990), &SPRING, 22, ["Trowel", "Secateurs", "Rake", "Watering Can"]),
    shelf(["Garden", "Tools", "Power Tools"], (5_900, 39_900), &SPRING, 6, ["Hedge Trimmer", "Lawn Mower", "Leaf Blower", "Chainsaw"]),
    shelf(["Garden", "Outdoor Living", "Furniture"], (3_900, 59_900), &SUMMER, 8, ["Folding Chair", "Garden Table", "Lounger", "Bench"]),
    shelf(["Garden", "Outdoor Living", "Barbecue"], (790, 44_900), &SUMMER, 12, ["Kettle Grill", "Gas Grill", "Grill Tongs", "Charcoal"]),
    shelf(["Sport", "Camping", "Tents"], (4_900, 44_900), &SUMMER, 5, ["Trekking Tent", "Family Tent", "Tarp", "Beach Shelter"]),
    shelf(["Sport", "Camping", "Sleeping Bags"], (2_490, 19_900), &SUMMER, 7, ["Summer Bag", "Three Season Bag", "Sleeping Mat", "Travel Pillow"]),
    shelf(["Sport", "Cycling", "Bicycles"], (24_900, 189_900), &SPRING, 2, ["City Bike", "Touring Bike", "Gravel Bike", "Kids Bike"]),
    shelf(["Sport", "Cycling", "Cycling Parts"], (390, 8_900), &SPRING, 21, ["Inner Tube", "Bike Light", "Lock", "Saddle Bag"]),
    shelf(["Sport", "Fitness", "Weights"], (990, 14_900), &WINTER, 9, ["Dumbbell", "Kettlebell", "Barbell", "Weight Plate"]),
    shelf(["Sport", "Fitness", "Yoga"], (690, 5_900), &WINTER, 14, ["Yoga Mat", "Yoga Block", "Foam Roller", "Stretch Band"]),
    shelf(["Sport", "Winter Sport", "Sledges"], (1_990, 12_900), &WINTER, 5, ["Wooden Sledge", "Snow Saucer", "Bobsled", "Snow Tube"]),
    shelf(["Electronics", "Audio", "Headphones"], (1_490, 34_900), &GIFTS, 18, ["In-Ear Headphones", "Studio Headphones", "Sport Headphones", "Headset"]),
    shelf(["Electronics", "Audio", "Speakers"], (2_490, 49_900), &GIFTS, 10, ["Travel Speaker", "Shelf Speaker", "Soundbar", "Radio"]),
    shelf(["Electronics", "Computing", "Accessories"], (690, 9_900), &SCHOOL, 27, ["Mouse", "Keyboard", "USB Hub", "Laptop Stand"]),
    shelf(["Electronics", "Computing", "Storage"], (990, 24_900), &SCHOOL, 13, ["USB Stick", "Memory Card", "Solid State Disk", "Backup Disk"]),
    shelf(["Electronics", "Computing", "Tablets"], (14_900, 89_900), &GIFTS, 4, ["Tablet", "E-Reader", "Drawing Tablet", "Kids Tablet"]),
    shelf(["Electronics", "Photo", "Cameras"], (9_900, 129_900), &SUMMER, 3, ["Compact Camera", "Instant Camera", "Action Camera", "System Camera"]),
    shelf(["Electronics", "Photo", "Photo Supplies"], (590, 7_900), &SUMMER, 16, ["Tripod", "Camera Bag", "Instant Film", "Lens Cloth"]),
    shelf(["Clothing", "Women", "Women's Tops"], (1_290, 6_990), &EVEN, 30, ["T-Shirt", "Blouse", "Cardigan", "Linen Shirt"]),
    shelf(["Clothing", "Women", "Women's Coats"], (5_900, 24_900), &WINTER, 9, ["Rain Coat", "Wool Coat", "Parka", "Down Jacket"]),
    shelf(["Clothing", "Men", "Men's Tops"], (1_290, 6_990), &EVEN, 27, ["Polo Shirt", "Oxford Shirt", "Sweatshirt", "Merino Jumper"]),
    shelf(["Clothing", "Men", "Men's Coats"], (5_900, 24_900), &WINTER, 8, ["Field Jacket", "Overcoat", "Shell Jacket", "Quilted Vest"]),
    shelf(["Clothing", "Children", "Children's Wear"], (790, 4_990), &SCHOOL, 29, ["Dungarees", "Rain Suit", "Hoodie", "Pyjamas"]),
    shelf(["Clothing", "Children", "Children's Shoes"], (1_990, 6_990), &SCHOOL, 15, ["Trainers", "Rubber Boots", "Sandals", "Slippers"]),
    shelf(["Paper", "Office", "Notebooks"], (250, 2_490), &SCHOOL, 42, ["Exercise Book", "Notebook", "Sketch Book", "Diary"]),
    shelf(["Paper", "Office", "Pens"], (120, 4_990), &SCHOOL, 48, ["Ballpoint Pen", "Fountain Pen", "Fineliner", "Pencil Set"]),
    shelf(["Paper", "Games", "Board Games"], (990, 5_990), &GIFTS, 19, ["Strategy Game", "Family Game", "Quiz Game", "Word Game"]),
    shelf(["Paper", "Games", "Puzzles"], (790, 3_490), &GIFTS, 21, ["500 Piece Puzzle", "1000 Piece Puzzle", "Wooden Puzzle", "Floor Puzzle"]),
    shelf(["Paper", "Gift Wrap", "Cards"], (150, 690), &GIFTS, 44, ["Birthday Card", "Winter Card", "Thank You Card", "Postcard Set"]),
    shelf(["Paper", "Gift Wrap", "Wrapping Paper"], (250, 1_290), &GIFTS, 33, ["Striped Paper", "Kraft Paper", "Gift Bag", "Ribbon"]),
];

const BRANDS: [&str; 8] = ["Alder", "Brevik", "Corran", "Dunmore", "Elvane", "Farrow", "Halden", "Tilby"];
const LINES: [&str; 8] = ["Basic", "Classic", "Nova", "Terra", "Studio", "Prime", "Mini", "Plus"];
/// Products of each thing.
const VARIANTS: usize = 5;

/// A product.
pub(super) struct Product {
    /// From 1.
    pub(super) id: i32,
    pub(super) name: String,
    pub(super) brand: &'static str,
    /// Index of its subcategory.
    pub(super) shelf: usize,
    /// Cents, in the first year.
    pub(super) price: u32,
    /// What it costs the chain, in cents.
    pub(super) cost: u32,
    /// Share of its month's sales, by month of the year.
    pub(super) weights: [u64; 12],
}

/// How many subcategories there are.
pub(super) const SUBCATEGORIES: usize = SHELVES.len();

/// The departments, in order.
pub(super) fn departments() -> Vec<&'static str> {
    let mut names: Vec<&str> = SHELVES.iter().map(|s| s.department).collect();
    names.dedup();
    names
}

/// The department of a subcategory, as an index into [`departments`].
pub(super) fn department_of(shelf: usize) -> usize {
    departments().iter().position(|d| *d == SHELVES[shelf].department).unwrap_or(0)
}

/// The key of a subcategory: the hundreds count the departments.
pub(super) fn subcategory_key(shelf: usize) -> i32 {
    (department_of(shelf) as i32 + 1) * 100 + shelf as i32 + 1
}

/// Every product.
pub(super) fn products(seed: u64) -> Vec<Product> {
    let mut random = Random::new(seed, 2);
    let mut products = Vec::with_capacity(SHELVES.len() * 4 * VARIANTS);
    for (index, shelf) in SHELVES.iter().enumerate() {
        let (low, high) = shelf.prices;
        for thing in shelf.things {
            let first = random.below(64) as usize;
            for variant in 0..VARIANTS {
                // An odd step visits all 64 pairs of brand and line, so that no name comes twice.
                let pair = (first + variant * 11) % 64;
                let (brand, line) = (BRANDS[pair % 8], LINES[pair / 8]);
                // Prices end as shops like them.
                let raw = random.between(low, high);
                let price = if raw < 1_000 { raw / 10 * 10 + 9 } else { raw / 100 * 100 + 90 };
                let cost = price * random.between(430, 700) / 1000;
                // What costs less than its shelf's mean sells more often.
                let appeal = u64::from(random.between(30, 100)) * u64::from(low + high) / u64::from(low + price);
                products.push(Product {
                    id: products.len() as i32 + 1,
                    name: format!("{brand} {line} {thing}"),
                    brand,
                    shelf: index,
                    price,
                    cost,
                    weights: shelf.season.map(|month| month * shelf.popularity * appeal),
                });
            }
        }
    }
    products
}

/// The table `products`.
pub(super) fn products_table(products: &[Product]) -> Table {
    let shelf = |f: fn(&Shelf) -> &'static str| texts(products.iter().map(|p| f(&SHELVES[p.shelf])));
    table(
        "products",
        [
            ("product_id", ints(products.iter().map(|p| p.id).collect())),
            ("product", texts(products.iter().map(|p| &p.name))),
            ("subcategory_key", ints(products.iter().map(|p| subcategory_key(p.shelf)).collect())),
            ("subcategory", shelf(|s| s.name)),
            ("category", shelf(|s| s.category)),
            ("department", shelf(|s| s.department)),
            ("brand", texts(products.iter().map(|p| p.brand))),
            ("list_price", money(products.iter().map(|p| p.price as i32).collect())),
        ],
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn names_are_unique_and_departments_stand_together() {
        let products = products(1);
        assert_eq!(products.len(), SUBCATEGORIES * 4 * VARIANTS);
        let names: HashSet<_> = products.iter().map(|p| (p.shelf, &p.name)).collect();
        assert_eq!(names.len(), products.len());
        let departments = departments();
        assert_eq!(departments.iter().collect::<HashSet<_>>().len(), departments.len());
        let categories: HashSet<_> = SHELVES.iter().map(|s| (s.category, s.department)).collect();
        let names: HashSet<_> = SHELVES.iter().map(|s| s.category).collect();
        assert_eq!(categories.len(), names.len(), "a category belongs to one department");
    }

    #[test]
    fn a_product_costs_less_than_its_price() {
        for product in products(1) {
            assert!(product.cost > 0 && product.cost < product.price, "{}", product.name);
        }
    }
}
