//! Values that are all zero bits: the reason why a `static` trainer lies in `.bss`, and why a large network can be
//! built on the heap without ever standing on the stack.

macro_rules! define_zeroed {
    ($($unsafety:tt)?) => {
        /// A type whose value with every byte zero is [`ZEROED`](Zeroed::ZEROED).
        ///
        /// Parameters, gradients, caches and whole trainers are `Zeroed`. As a `static` that can be written, in a
        /// `Mutex` say, they cost no bytes in the program image, and [`boxed`](Zeroed::boxed) takes them from the allocator already zeroed.
        ///
        /// Implement it with [`zeroed!`](crate::zeroed), [`parameters!`](crate::parameters) or
        /// [`network!`](crate::network), which check every field; a hand-written implementation would be `unsafe`
        /// where the feature `alloc` is on.
        ///
        /// ```
        /// use chainrule::{Matrix, Tensor, Zeroed};
        /// use std::sync::Mutex;
        ///
        /// static BUFFER: Mutex<Matrix<784, 512>> = Mutex::new(Matrix::ZEROED); // 1.6 MB of .bss, no byte in the image
        /// assert_eq!(BUFFER.lock().unwrap().norm(), 0.0);
        /// # #[cfg(feature = "alloc")]
        /// assert_eq!(Matrix::<784, 512>::boxed().norm(), 0.0);
        /// ```
        ///
        /// # Safety
        ///
        /// With the feature `alloc`: all bytes zero must be a valid value of the type, equal to `ZEROED`.
        #[diagnostic::on_unimplemented(
            message = "`{Self}` is not known to be zero when all its bytes are",
            note = "define the struct inside `chainrule::zeroed! {{ … }}`"
        )]
        pub $($unsafety)? trait Zeroed: Sized + 'static {
            /// The value with every byte zero.
            ///
            /// Using it *moves* a value: put it in a `static`, or use [`boxed`](Zeroed::boxed), when it is large.
            const ZEROED: Self;

            /// A zero on the heap, built there: it never stands on the stack, whatever its size, in debug builds too.
            ///
            /// ```
            /// use chainrule::{Matrix, Zeroed};
            /// let matrix = Matrix::<1024, 1024>::boxed();
            /// assert_eq!(matrix[(1023, 1023)], 0.0);
            /// ```
            #[cfg(feature = "alloc")]
            #[must_use]
            fn boxed() -> alloc::boxed::Box<Self> {
                // SAFETY: all bytes zero is a valid `Self`: the contract of this unsafe trait.
                unsafe { alloc::boxed::Box::<Self>::new_zeroed().assume_init() }
            }
        }
    };
}

#[cfg(feature = "alloc")]
define_zeroed!(unsafe);
#[cfg(not(feature = "alloc"))]
define_zeroed!();

/// Implements [`Zeroed`](crate::Zeroed) for a struct whose fields all are: the step shared by the macros.
#[doc(hidden)]
#[macro_export]
#[cfg(feature = "alloc")]
macro_rules! __impl_zeroed {
    ([$($generics:tt)*] $type:ty, $zero:expr) => {
        // SAFETY: the expression names every field at its own ZEROED, so a field that is not `Zeroed` does not compile.
        unsafe impl<$($generics)*> $crate::Zeroed for $type {
            const ZEROED: Self = $zero;
        }
    };
}
/// Implements [`Zeroed`](crate::Zeroed) for a struct whose fields all are: the step shared by the macros.
#[doc(hidden)]
#[macro_export]
#[cfg(not(feature = "alloc"))]
macro_rules! __impl_zeroed {
    ([$($generics:tt)*] $type:ty, $zero:expr) => {
        impl<$($generics)*> $crate::Zeroed for $type {
            const ZEROED: Self = $zero;
        }
    };
}

/// Defines a plain struct with named fields that is [`Zeroed`](crate::Zeroed) because its fields are:
/// caches of several parts, and scalars of your own.
///
/// ```
/// use chainrule::{zeroed, Vector, Zeroed};
///
/// zeroed! {
///     /// What the layer keeps for its backward pass.
///     pub struct Kept {
///         /// How often it ran.
///         pub runs: u32,
///         /// The last output.
///         pub output: Vector<3>,
///     }
/// }
/// assert_eq!(Kept::ZEROED.output, Vector::from([0.0; 3]));
/// ```
#[macro_export]
macro_rules! zeroed {
    (
        $(#[$meta:meta])* $vis:vis struct $Name:ident $(<$($G:ident $(: $bound:path)?),+>)? {
            $($(#[$fmeta:meta])* $fvis:vis $field:ident: $Type:ty),* $(,)?
        }
    ) => {
        $(#[$meta])*
        $vis struct $Name $(<$($G $(: $bound)?),+>)? {
            $($(#[$fmeta])* $fvis $field: $Type,)*
        }
        $crate::__impl_zeroed!(
            [$($($G: $crate::Zeroed $(+ $bound)?),+)?] $Name $(<$($G),+>)?,
            $Name { $($field: <$Type as $crate::Zeroed>::ZEROED),* }
        );
    };
}

macro_rules! zeroed_numbers {
    ($($number:ty),*) => { $(crate::__impl_zeroed!([] $number, 0 as $number);)* };
}
zeroed_numbers!(u8, u16, u32, u64, usize, i8, i16, i32, i64, isize, f32, f64);

crate::__impl_zeroed!([] bool, false);
crate::__impl_zeroed!([](), ());
crate::__impl_zeroed!([A: Zeroed] (A,), (A::ZEROED,));
crate::__impl_zeroed!([A: Zeroed, B: Zeroed] (A, B), (A::ZEROED, B::ZEROED));
crate::__impl_zeroed!([A: Zeroed, B: Zeroed, C: Zeroed] (A, B, C), (A::ZEROED, B::ZEROED, C::ZEROED));
crate::__impl_zeroed!([T: Zeroed, const N: usize] [T; N], [const { T::ZEROED }; N]);
crate::__impl_zeroed!([T: ?Sized + 'static] core::marker::PhantomData<T>, core::marker::PhantomData);

/// Implements [`Plain`](crate::Plain) for a type whose fields, listed after the colon, all are: the step shared by the
/// macros. Without the feature `borrow` there is no such trait.
#[doc(hidden)]
#[macro_export]
#[cfg(feature = "borrow")]
macro_rules! __impl_plain {
    ([$($generics:tt)*] $type:ty: $($Field:ty),* $(,)?) => {
        // SAFETY: every field is `Plain`, so bytes that are valid scalars are valid fields.
        unsafe impl<$($generics)*> $crate::Plain for $type where $($Field: $crate::Plain,)* {}
    };
}
/// Implements `Plain`: nothing to do without the feature `borrow`.
#[doc(hidden)]
#[macro_export]
#[cfg(not(feature = "borrow"))]
macro_rules! __impl_plain {
    ($($any:tt)*) => {};
}
