//! The generator's own random numbers: the same on every machine and in every version of ours, integers only.

/// xoshiro256** seeded by splitmix64, as their authors published them.
pub(super) struct Random([u64; 4]);

impl Random {
    /// A stream of numbers; `stream` tells the tables apart, so that one more draw in one table moves no other.
    pub(super) fn new(seed: u64, stream: u64) -> Self {
        let mut state = seed ^ stream.wrapping_mul(0xD6E8_FEB8_6659_FD93);
        Random(std::array::from_fn(|_| {
            state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
            let mut z = state;
            z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
            z ^ (z >> 31)
        }))
    }

    /// The next 64 bits.
    pub(super) fn bits(&mut self) -> u64 {
        let s = &mut self.0;
        let result = s[1].wrapping_mul(5).rotate_left(7).wrapping_mul(9);
        let t = s[1] << 17;
        s[2] ^= s[0];
        s[3] ^= s[1];
        s[1] ^= s[2];
        s[0] ^= s[3];
        s[2] ^= t;
        s[3] = s[3].rotate_left(45);
        result
    }

    /// A number below `n`, which is not 0. The bias of at most n / 2^32 does not matter here.
    pub(super) fn below(&mut self, n: u32) -> u32 {
        (((self.bits() >> 32) * u64::from(n)) >> 32) as u32
    }

    /// A number from `low` to `high`, both included.
    pub(super) fn between(&mut self, low: u32, high: u32) -> u32 {
        low + self.below(high - low + 1)
    }

    /// True in so many of a thousand cases.
    pub(super) fn chance(&mut self, permille: u32) -> bool {
        self.below(1000) < permille
    }

    /// One of the items.
    pub(super) fn pick<T: Copy>(&mut self, items: &[T]) -> T {
        items[self.below(items.len() as u32) as usize]
    }

    /// An index below `n` that prefers small ones: the first tenth is drawn in about a third of the cases.
    pub(super) fn skewed(&mut self, n: u32) -> u32 {
        let half = u64::from(self.below(u32::MAX));
        let squared = (half * half) >> 32;
        ((squared * u64::from(n)) >> 32) as u32
    }
}

/// Draws indexes by weight in constant time (Vose's alias method, in integers).
pub(super) struct Weighted {
    limit: Vec<u64>,
    other: Vec<u32>,
    total: u64,
}

impl Weighted {
    /// From weights of which at least one is not 0; their sum times their number stays below 2^63.
    pub(super) fn new(weights: &[u64]) -> Self {
        let count = weights.len() as u64;
        let total: u64 = weights.iter().sum();
        // Each slot holds `total` units; scaled weights fill the slots exactly.
        let mut limit: Vec<u64> = weights.iter().map(|w| w * count).collect();
        let mut other: Vec<u32> = (0..weights.len() as u32).collect();
        let (mut small, mut large): (Vec<usize>, Vec<usize>) = (0..weights.len()).partition(|&i| limit[i] < total);
        while let (Some(&s), Some(&l)) = (small.last(), large.last()) {
            small.pop();
            other[s] = l as u32;
            limit[l] -= total - limit[s];
            if limit[l] < total {
                large.pop();
                small.push(l);
            }
        }
        Weighted { limit, other, total }
    }

    /// An index.
    pub(super) fn draw(&self, random: &mut Random) -> usize {
        let slot = random.below(self.limit.len() as u32) as usize;
        let unit = ((u128::from(random.bits()) * u128::from(self.total)) >> 64) as u64;
        if unit < self.limit[slot] { slot } else { self.other[slot] as usize }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_of_one_seed_differ_and_repeat() {
        let draw = |seed, stream| -> Vec<u64> {
            let mut r = Random::new(seed, stream);
            (0..4).map(|_| r.bits()).collect()
        };
        assert_eq!(draw(1, 1), draw(1, 1));
        assert_ne!(draw(1, 1), draw(1, 2));
        assert_ne!(draw(1, 1), draw(2, 1));
    }

    #[test]
    fn weights_are_met() {
        let weighted = Weighted::new(&[1, 0, 3, 6]);
        let mut random = Random::new(7, 0);
        let mut counts = [0u32; 4];
        for _ in 0..100_000 {
            counts[weighted.draw(&mut random)] += 1;
        }
        assert_eq!(counts[1], 0);
        for (count, expected) in [(counts[0], 10_000), (counts[2], 30_000), (counts[3], 60_000)] {
            assert!(count.abs_diff(expected) < 1_000, "{counts:?}");
        }
    }

    #[test]
    fn ranges_are_kept() {
        let mut random = Random::new(3, 3);
        for _ in 0..10_000 {
            assert!((5..=9).contains(&random.between(5, 9)));
            assert!(random.skewed(17) < 17);
        }
        assert!(!random.chance(0) && random.chance(1000));
    }
}
