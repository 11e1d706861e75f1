//! [`Tensor`]: every fixed-shape block of scalars, be it a vector or all parameters of a network.

use crate::threads::elementwise;
use crate::{Fingerprint, Real, Scalar, Zeroed};
use core::fmt;
use core::marker::PhantomData;

/// What a block of parameters is for: weight decay and initialisation treat them differently.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// Weighs inputs against each other: a matrix of a dense layer.
    Weight,
    /// Is added.
    Bias,
    /// Multiplies elementwise: a gain, a slope.
    Scale,
    /// None of these.
    Other,
}

/// The name of a block as a path through the user's fields: `hidden.weights`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Name {
    // Innermost first, so that each enclosing struct appends its field.
    parts: [&'static str; Self::DEPTH],
    len: usize,
}

impl Name {
    /// Networks may nest so deep; of a deeper name the outermost fields are cut.
    pub const DEPTH: usize = 6;

    const EMPTY: Self = Self { parts: [""; Self::DEPTH], len: 0 };

    /// The fields from the outermost to the innermost.
    pub fn parts(&self) -> impl Iterator<Item = &'static str> {
        self.parts.iter().take(self.len).rev().copied()
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, part) in self.parts().enumerate() {
            if i > 0 {
                f.write_str(".")?;
            }
            f.write_str(part)?;
        }
        Ok(())
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// One contiguous block of a [`Tensor`]: its name, its role and its shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Block {
    /// The user's field names.
    pub name: Name,
    /// What it is for.
    pub role: Role,
    /// Rows; the block is stored column by column.
    pub rows: usize,
    /// Columns.
    pub columns: usize,
}

impl Block {
    /// A block without a name yet.
    pub const fn new(role: Role, rows: usize, columns: usize) -> Self {
        Self { name: Name::EMPTY, role, rows, columns }
    }

    /// The block as the field `field` of an enclosing struct.
    #[must_use]
    pub fn within(mut self, field: &'static str) -> Self {
        if let Some(part) = self.name.parts.get_mut(self.name.len) {
            *part = field;
            self.name.len += 1;
        }
        self
    }

    /// The block with another role.
    #[must_use]
    pub const fn with_role(mut self, role: Role) -> Self {
        self.role = role;
        self
    }
}

/// A fixed-shape block of scalars: a vector, a matrix, or all parameters of a layer or a network.
///
/// It shows its scalars as [`SLICES`](Tensor::SLICES) slices, in the order of the fields, each described by a
/// [`Block`]. Optimisers, conversion, saving and the gradient checker are loops over these slices, so none of them
/// knows any layer. Implemented by [`Matrix`](crate::Matrix) and by what [`parameters!`](crate::parameters) and
/// [`network!`](crate::network) define.
///
/// ```
/// use chainrule::{Dense, Tanh, Tensor, Zeroed};
/// type Layer = Dense<3, 2, Tanh>;
/// let layer = <Layer>::ZEROED;
/// assert_eq!(Layer::LEN, 2 * 3 + 2);
/// assert_eq!(Layer::block(0).name.to_string(), "weights");
/// assert_eq!(layer.slice(1), [0.0, 0.0]); // the bias
/// ```
pub trait Tensor: Zeroed {
    /// The element.
    type Scalar: Scalar;

    /// The same tensor of another scalar: `Digits<f32>` and `Digits<Dual>` are images of each other.
    type With<U: Scalar>: Tensor<Scalar = U>;

    /// The gradient with respect to this tensor: as many slices, each of the same length, or empty where the
    /// parameters are frozen.
    type Gradient: Tensor<Scalar = Self::Scalar>;

    /// The number of slices.
    const SLICES: usize;

    /// The number of scalars in all slices.
    const LEN: usize;

    /// Tells tensors of other names, shapes, roles or order from this one; the macros see to it.
    const FINGERPRINT: Fingerprint = Fingerprint::EMPTY.number(Self::SLICES as u64).number(Self::LEN as u64);

    /// Slice `i` of [`SLICES`](Tensor::SLICES); empty beyond.
    fn slice(&self, i: usize) -> &[Self::Scalar];

    /// Slice `i` of [`SLICES`](Tensor::SLICES), to be written; empty beyond.
    fn slice_mut(&mut self, i: usize) -> &mut [Self::Scalar];

    /// Name, role and shape of slice `i`.
    fn block(i: usize) -> Block;

    /// Overwrites every scalar with zero, in place.
    fn set_zero(&mut self) {
        for i in 0..Self::SLICES {
            elementwise([self.slice_mut(i)], [], |[x], []| x.fill(num_traits::ConstZero::ZERO));
        }
    }

    /// Overwrites this tensor with `source`, in place.
    fn copy_from(&mut self, source: &Self) {
        for i in 0..Self::SLICES {
            for (x, y) in self.slice_mut(i).iter_mut().zip(source.slice(i)) {
                *x = *y;
            }
        }
    }

    /// Overwrites this tensor with `source`, converted scalar by scalar through `f64`.
    ///
    /// ```
    /// use chainrule::{Tensor, Vector, Zeroed};
    /// let mut wide = Vector::<2, f64>::ZEROED;
    /// wide.convert_from(&Vector::from([0.5_f32, -1.0]));
    /// assert_eq!(wide, Vector::from([0.5_f64, -1.0]));
    /// ```
    fn convert_from<U: Scalar>(&mut self, source: &Self::With<U>) {
        for i in 0..Self::SLICES {
            for (x, y) in self.slice_mut(i).iter_mut().zip(source.slice(i)) {
                *x = Real::from_f64(y.to_f64());
            }
        }
    }

    /// x ← x + a·y.
    fn axpy(&mut self, a: Self::Scalar, y: &Self) {
        for i in 0..Self::SLICES {
            elementwise(
                [self.slice_mut(i)],
                [y.slice(i)],
                #[inline(always)]
                |[x], [y]| {
                    for (x, y) in x.iter_mut().zip(y) {
                        *x += a * *y;
                    }
                },
            );
        }
    }

    /// x ← f(x, y), scalar by scalar: the loop of every elementwise layer.
    ///
    /// ```
    /// use chainrule::{Tensor, Vector};
    /// let mut x = Vector::from([1.0, 2.0]);
    /// Tensor::zip(&mut x, &Vector::from([10.0, 20.0]), |x, y| x * y);
    /// assert_eq!(x, Vector::from([10.0, 40.0]));
    /// ```
    fn zip(&mut self, y: &Self, mut f: impl FnMut(Self::Scalar, Self::Scalar) -> Self::Scalar) {
        for i in 0..Self::SLICES {
            for (x, y) in self.slice_mut(i).iter_mut().zip(y.slice(i)) {
                *x = f(*x, *y);
            }
        }
    }

    /// x ← a·x.
    #[inline]
    fn scale(&mut self, a: Self::Scalar) {
        for i in 0..Self::SLICES {
            elementwise(
                [self.slice_mut(i)],
                [],
                #[inline(always)]
                |[x], []| {
                    for x in x {
                        *x *= a;
                    }
                },
            );
        }
    }

    /// The inner product Σ xᵢ·yᵢ over all scalars.
    fn dot(&self, y: &Self) -> Self::Scalar {
        let mut sum = <Self::Scalar as num_traits::ConstZero>::ZERO;
        for i in 0..Self::SLICES {
            for (x, y) in self.slice(i).iter().zip(y.slice(i)) {
                sum += *x * *y;
            }
        }
        sum
    }

    /// The Euclidean norm √(Σ xᵢ²), scaled so that no square overflows or vanishes.
    ///
    /// ```
    /// use chainrule::{Tensor, Vector};
    /// assert_eq!(Vector::from([3e30_f32, 4e30]).norm(), 5e30);
    /// assert_eq!(Vector::from([3e-30_f32, 4e-30]).norm(), 5e-30);
    /// ```
    fn norm(&self) -> Self::Scalar {
        let zero = <Self::Scalar as num_traits::ConstZero>::ZERO;
        let largest = self.max_abs();
        // Zero has norm zero; an infinity or a NaN is its own norm: dividing by it would make another NaN.
        if largest == zero || !largest.is_finite() {
            return largest;
        }
        let mut sum = zero;
        for i in 0..Self::SLICES {
            for x in self.slice(i) {
                let ratio = *x / largest;
                sum += ratio * ratio;
            }
        }
        largest * sum.sqrt()
    }

    /// The largest magnitude, max |xᵢ|; NaN if any is.
    fn max_abs(&self) -> Self::Scalar {
        let zero = num_traits::ConstZero::ZERO;
        (0..Self::SLICES).fold(zero, |largest: Self::Scalar, i| largest.maximum(Scalar::max_abs(self.slice(i))))
    }

    /// Every scalar is neither NaN nor infinite.
    fn all_finite(&self) -> bool {
        (0..Self::SLICES).all(|i| Self::Scalar::max_abs(self.slice(i)).is_finite())
    }
}

/// Adjacent scalars of a [`Tensor`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    /// The number of their slice.
    pub slice: usize,
    /// The first of them, counted in the slice.
    pub start: usize,
    /// How many there are.
    pub len: usize,
}

impl Part {
    /// All of slice `slice` of `tensor`.
    pub fn whole<P: Tensor>(tensor: &P, slice: usize) -> Self {
        Self { slice, start: 0, len: tensor.slice(slice).len() }
    }

    /// This part of `tensor`, to be written; none where its slice ends before.
    #[inline(always)]
    pub fn of_mut<P: Tensor>(self, tensor: &mut P) -> &mut [P::Scalar] {
        tensor.slice_mut(self.slice).get_mut(self.start..).and_then(|rest| rest.get_mut(..self.len)).unwrap_or_default()
    }
}

/// A tensor with as many slices as `L`, all of them empty, in no memory: the gradient of what is not trained, the
/// state of an optimiser that remembers nothing.
pub struct Empty<L>(PhantomData<fn() -> L>);

crate::__impl_zeroed!([L: 'static] Empty<L>, Empty(PhantomData));
crate::__impl_plain!([L] Empty<L>:);

impl<L> Clone for Empty<L> {
    fn clone(&self) -> Self {
        Self(PhantomData)
    }
}

impl<L> PartialEq for Empty<L> {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl<L> fmt::Debug for Empty<L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Empty")
    }
}

impl<L: Tensor> Tensor for Empty<L> {
    type Scalar = L::Scalar;
    type With<U: Scalar> = Empty<L::With<U>>;
    type Gradient = Self;
    const SLICES: usize = L::SLICES;
    const LEN: usize = 0;
    const FINGERPRINT: Fingerprint = Fingerprint::EMPTY;

    fn slice(&self, _: usize) -> &[L::Scalar] {
        &[]
    }

    fn slice_mut(&mut self, _: usize) -> &mut [L::Scalar] {
        &mut []
    }

    fn block(i: usize) -> Block {
        Block { rows: 0, columns: 0, ..L::block(i) }
    }
}
