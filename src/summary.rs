//! A table of a network's layers, as Keras prints one.

use crate::Tensor;
use core::fmt;

/// A network that can be shown as a table; [`network!`](crate::network) implements it.
///
/// ```
/// use chainrule::{network, Dense, Identity, Parameters, Summarize, Tanh};
///
/// network! {
///     pub struct Xor<T = f32>: 2 => 1 {
///         hidden: Dense<2, 4, Tanh, T>,
///         output: Dense<4, 1, Identity, T>,
///     }
/// }
///
/// let expected = "\
/// Xor
/// layer   type                      output  parameters  operations
/// hidden  Dense<2, 4, Tanh, T>           4          12          20
/// output  Dense<4, 1, Identity, T>       1           5           9
/// total 17 parameters, 17 trainable; 29 floating-point operations a sample";
/// assert_eq!(<Xor>::new(1).summary().to_string(), expected);
/// ```
pub trait Summarize: Tensor {
    /// The name of the network.
    const NAME: &'static str;

    /// Calls `row` for every layer, in their order.
    fn rows(row: &mut dyn FnMut(Row));

    /// The table, to be printed.
    fn summary(&self) -> Summary {
        Summary { name: Self::NAME, rows: Self::rows }
    }
}

/// One layer of a [`Summary`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// The field's name.
    pub name: &'static str,
    /// The layer's type, as the user wrote it.
    pub kind: &'static str,
    /// How many numbers the layer yields for one sample.
    pub outputs: usize,
    /// How many scalars its parameters have.
    pub parameters: usize,
    /// How many of them are trained.
    pub trainable: usize,
    /// Floating-point operations for one sample.
    pub operations: usize,
}

impl Row {
    #[doc(hidden)]
    #[must_use]
    pub fn of<L: Tensor>(name: &'static str, kind: &'static str) -> Self {
        Self { name, kind, outputs: 0, parameters: L::LEN, trainable: L::Gradient::LEN, operations: 0 }
    }
}

/// A network's layers, with shapes, parameters and operations; `Display` prints the table.
#[derive(Clone, Copy)]
pub struct Summary {
    name: &'static str,
    rows: fn(&mut dyn FnMut(Row)),
}

impl fmt::Debug for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (mut name, mut kind) = ("layer".len(), "type".len());
        (self.rows)(&mut |row| {
            name = name.max(row.name.len());
            kind = kind.max(row.kind.len());
        });
        let (mut parameters, mut trainable, mut operations) = (0, 0, 0);
        writeln!(f, "{}", self.name)?;
        let mut result = writeln!(f, "{:name$}  {:kind$}  output  parameters  operations", "layer", "type");
        (self.rows)(&mut |row| {
            parameters += row.parameters;
            trainable += row.trainable;
            operations += row.operations;
            let line = writeln!(
                f,
                "{:name$}  {:kind$}  {:6}  {:10}  {:10}",
                row.name, row.kind, row.outputs, row.parameters, row.operations
            );
            result = result.and(line);
        });
        result?;
        write!(
            f,
            "total {parameters} parameters, {trainable} trainable; {operations} floating-point operations a sample"
        )
    }
}
