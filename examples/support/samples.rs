//! Samples with their labels, as trainers take them.

use chainrule::Class;

/// Inputs of `N` numbers, each with its class.
#[derive(Clone, Debug, PartialEq)]
pub struct Samples<const N: usize, const K: usize> {
    /// One array a sample.
    pub inputs: Vec<[f32; N]>,
    /// As many classes.
    pub targets: Vec<Class<K>>,
}

impl<const N: usize, const K: usize> Samples<N, K> {
    /// No samples yet.
    pub fn new() -> Self {
        Self { inputs: Vec::new(), targets: Vec::new() }
    }

    /// Adds one sample.
    pub fn push(&mut self, input: [f32; N], target: Class<K>) {
        self.inputs.push(input);
        self.targets.push(target);
    }
}
