//! Splits samples into the parts for training, validation and test.

use super::samples::Samples;
use chainrule::{Class, Random, Shuffle};

/// Three parts without a common sample.
pub struct Split<const N: usize, const K: usize> {
    /// 70 %: what the weights are fitted to.
    pub training: Samples<N, K>,
    /// 10 %: what is looked at while training, and what hyper-parameters are chosen by.
    pub validation: Samples<N, K>,
    /// 20 %: what is read once, at the end.
    pub test: Samples<N, K>,
}

/// Splits 70/10/20, at random by the seed and stratified: each class is shared out in these proportions, to within one
/// sample.
pub fn split<const N: usize, const K: usize>(samples: &Samples<N, K>, seed: u64) -> Split<N, K> {
    let mut random = Random::new(seed, 0);
    // Class after class, each in a random order; then two of every ten in turn are for the test, one is for validation.
    let mut position = 0;
    let mut split = Split { training: Samples::new(), validation: Samples::new(), test: Samples::new() };
    for class in 0..K {
        let is_member = |target: &Class<K>| target.index() == class;
        let members: Vec<usize> = (0..samples.inputs.len()).filter(|&i| is_member(&samples.targets[i])).collect();
        let order = Shuffle::new(members.len(), random.double_word(), 0);
        for i in 0..members.len() {
            let sample = members[order.index(i)];
            let part = match position % 10 {
                0 | 5 => &mut split.test,
                3 => &mut split.validation,
                _ => &mut split.training,
            };
            part.push(samples.inputs[sample], samples.targets[sample]);
            position += 1;
        }
    }
    split
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Samples that can be told apart, of three classes of different sizes.
    fn numbered() -> Samples<1, 3> {
        let mut samples = Samples::new();
        for i in 0..1797 {
            let class = if i % 100 < 60 { 0 } else { 1 + i % 2 };
            samples.push([i as f32], Class::new(class).unwrap());
        }
        samples
    }

    fn parts(split: &Split<1, 3>) -> [&Samples<1, 3>; 3] {
        [&split.training, &split.validation, &split.test]
    }

    #[test]
    fn every_sample_is_in_one_part_with_its_label() {
        let samples = numbered();
        let split = split(&samples, 3);
        assert_eq!(parts(&split).map(|part| part.inputs.len()), [1257, 180, 360]);
        let mut seen = vec![false; samples.inputs.len()];
        for part in parts(&split) {
            for (input, target) in part.inputs.iter().zip(&part.targets) {
                let i = input[0] as usize;
                assert!(!seen[i], "sample {i} appears twice");
                seen[i] = true;
                assert_eq!(*target, samples.targets[i]);
            }
        }
        assert!(seen.iter().all(|seen| *seen));
    }

    #[test]
    fn classes_are_shared_out_evenly() {
        let samples = numbered();
        let count = |part: &Samples<1, 3>, class| part.targets.iter().filter(|target| target.index() == class).count();
        for seed in 0..20 {
            let split = split(&samples, seed);
            for class in 0..3 {
                let all = count(&samples, class) as f64;
                for (part, share) in parts(&split).into_iter().zip([0.7, 0.1, 0.2]) {
                    let found = count(part, class) as f64;
                    assert!((found - share * all).abs() <= 1.0, "seed {seed}, class {class}: {found} of {all}");
                }
            }
        }
    }

    #[test]
    fn the_seed_decides() {
        let samples = numbered();
        assert_eq!(split(&samples, 1).test, split(&samples, 1).test);
        assert_ne!(split(&samples, 1).test, split(&samples, 2).test);
    }
}
