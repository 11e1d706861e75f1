//! [`parameters!`](crate::parameters) and [`network!`](crate::network): structs whose fields are tensors are tensors.
//!
//! Both read a struct as Rust writes it. `__generics!` takes its parameter list apart once; the rest is repetition
//! over the fields. What runs layers one after the other is no macro but [`Sequence`](crate::sequence::Sequence).

/// Defines the parameters of a layer of your own: a struct of matrices and vectors, each with its
/// [`Role`](crate::Role).
///
/// It gets [`Tensor`](crate::Tensor), and with it optimisers, saving, conversion between scalars and the gradient
/// checker; a gradient that is a value of the same type; `Clone`, `Debug` and `PartialEq`. The last parameter is the
/// scalar. What remains to write is [`Parameters`](crate::Parameters) and [`Layer`](crate::Layer).
///
/// ```
/// use chainrule::{parameters, Role, Tensor, Vector, Zeroed};
///
/// parameters! {
///     /// y = gain ⊙ x.
///     pub struct Gain<const N: usize, T = f32> {
///         /// One factor a component.
///         pub gain: Vector<N, T> = Role::Scale,
///     }
/// }
/// assert_eq!(<Gain<5>>::LEN, 5);
/// assert_eq!(<Gain<5>>::block(0).name.to_string(), "gain");
/// ```
#[macro_export]
macro_rules! parameters {
    ($(#[$meta:meta])* $vis:vis struct $Name:ident < $($rest:tt)*) => {
        $crate::__generics! { __parameters [$(#[$meta])* $vis struct $Name] [] [] [] $($rest)* }
    };
}

/// Defines a network: a struct whose fields are layers, in the order in which they run, with its ends stated.
///
/// ```
/// use chainrule::{network, Dense, Identity, Layer, Parameters, Tanh, Tensor, Vector, Zeroed};
///
/// network! {
///     /// Reads an 8×8 digit.
///     pub struct Digits<T = f32>: 64 => 10 {
///         /// Sees strokes.
///         pub hidden: Dense<64, 32, Tanh, T>,
///         /// One logit a class.
///         pub output: Dense<32, 10, Identity, T>,
///     }
/// }
///
/// let network = <Digits>::new(7);
/// assert_eq!(<Digits>::LEN, 2410);
/// let x = Vector::filled(0.5);
/// let mut scratch = Zeroed::ZEROED;
/// let logits = network.predict(&x, &mut scratch);
/// assert!(logits.as_slice().iter().all(|z| z.is_finite()));
/// ```
///
/// The network is generic over its scalar (`Digits<f64>`, `Digits<Dual>`, `Digits<Strict<f32>>`), may have further
/// `const` and type parameters before it (`A: Activation = Tanh`), and is a [`Layer`](crate::Layer) of every batch size: a field can itself be
/// a network. `Digits::ZEROED`, `Digits::boxed()` and `Digits::new(seed)` make one.
///
/// A public network needs public types in its fields, private fields too: an activation of your own is as visible as
/// the network that uses it.
///
/// Layers that do not fit are reported here, at the definition:
///
/// ```compile_fail,E0277
/// # use chainrule::{network, Dense, Identity, Tanh};
/// network! {
///     pub struct Misfit<T = f32>: 64 => 10 {
///         hidden: Dense<64, 32, Tanh, T>,
///         output: Dense<31, 10, Identity, T>, // layer `Dense<31, 10, Identity, T>` does not accept `Matrix<32, 1, T>`
///     }
/// }
/// ```
#[macro_export]
macro_rules! network {
    ($(#[$meta:meta])* $vis:vis struct $Name:ident < $($rest:tt)*) => {
        $crate::__generics! { __network [$(#[$meta])* $vis struct $Name] [] [] [] $($rest)* }
    };
}

/// Splits `const N: usize, A = Identity, T = f32> …` into a declaration, bounds for an `impl`, and arguments; then
/// calls back with them, with the scalar apart.
#[doc(hidden)]
#[macro_export]
macro_rules! __generics {
    ($callback:ident $head:tt [$($decl:tt)*] [$($bounds:tt)*] [$($args:tt)*] const $N:ident : $type:ty, $($rest:tt)*) => {
        $crate::__generics! {
            $callback $head [$($decl)* const $N: $type,] [$($bounds)* const $N: $type,] [$($args)* $N,] $($rest)*
        }
    };
    ($callback:ident $head:tt [$($decl:tt)*] $bounds:tt $args:tt $T:ident = $default:ty > $($rest:tt)*) => {
        $crate::$callback! { $head [$($decl)* $T = $default] $bounds $args $T $($rest)* }
    };
    (
        $callback:ident $head:tt [$($decl:tt)*] [$($bounds:tt)*] [$($args:tt)*]
        $A:ident $(: $Bound:path)? $(= $default:ty)?, $($rest:tt)*
    ) => {
        $crate::__generics! {
            $callback $head [$($decl)* $A $(: $Bound)? $(= $default)?,] [$($bounds)* $A: 'static $(+ $Bound)?,]
            [$($args)* $A,] $($rest)*
        }
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __parameters {
    (
        [$(#[$meta:meta])* $vis:vis struct $Name:ident] [$($decl:tt)*] [$($bounds:tt)*] [$($args:tt)*] $T:ident {
            $($(#[$fmeta:meta])* $fvis:vis $field:ident: $Type:ty = $role:expr),+ $(,)?
            $(; $marker:ident: $Marker:ty)?
        }
    ) => {
        // The order in memory is the order of the fields, so that a network can be read in place.
        $(#[$meta])*
        #[repr(C)]
        $vis struct $Name<$($decl)*> {
            $($(#[$fmeta])* $fvis $field: $Type,)+
            $($marker: $Marker,)?
        }
        $crate::__tensor! {
            $Name [$($bounds)*] [$($args)*] $T [Self]
            $(($field: $Type, .with_role($role)))+ [$($marker: $Marker)?]
        }
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __network {
    (
        [$(#[$meta:meta])* $vis:vis struct $Name:ident] [$($decl:tt)*] [$($bounds:tt)*] [$($args:tt)*] $T:ident
        : $IN:tt => $OUT:tt {
            $($(#[$fmeta:meta])* $fvis:vis $field:ident: $Type:ty),+ $(,)?
        }
    ) => {
        $(#[$meta])*
        #[repr(C)]
        // A vector register that lies across two cache lines takes twice as long to load. Microcontrollers have none.
        #[cfg_attr(any(target_arch = "x86_64", target_arch = "aarch64"), repr(align(64)))]
        $vis struct $Name<$($decl)*> {
            $($(#[$fmeta])* $fvis $field: $Type,)+
        }

        const _: () = {
            /// The gradient of the network: its fields are the gradients of the layers.
            #[cfg_attr(any(target_arch = "x86_64", target_arch = "aarch64"), repr(align(64)))]
            pub struct NetworkGradient<$($bounds)* $T: $crate::Scalar> {
                $(
                    /// The gradient of the layer of this name.
                    pub $field: <$Type as $crate::Tensor>::Gradient,
                )+
            }
            $crate::__tensor! {
                $Name [$($bounds)*] [$($args)*] $T [NetworkGradient<$($args)* $T>] $(($field: $Type,))+ []
            }
            $crate::__tensor! {
                NetworkGradient [$($bounds)*] [$($args)*] $T [Self]
                $(($field: <$Type as $crate::Tensor>::Gradient,))+ []
            }

            impl<$($bounds)* $T: $crate::Scalar> $crate::Parameters for $Name<$($args)* $T> {
                const KIND: $crate::Fingerprint =
                    $crate::Fingerprint::EMPTY $(.with(<$Type as $crate::Parameters>::KIND))+;

                fn init(&mut self, random: &mut $crate::Random) {
                    $($crate::Parameters::init(&mut self.$field, random);)+
                }
            }

            impl<$($bounds)* $T: $crate::Scalar> $crate::Network for $Name<$($args)* $T> {
                type InputSample = [$T; $IN];
                type OutputSample = [$T; $OUT];
            }

            /// Checks every seam where the network is defined, so that a misfit points at the user's field.
            #[allow(dead_code)]
            fn seams<$($bounds)* $T: $crate::Scalar>() {
                fn fits<L: $crate::Layer<X>, X>() {}
                fn ends<L: $crate::Layer<X, Output: $crate::sequence::Yields<Declared>>, X, Declared>() {}
                $crate::__seams! { fits ends [$crate::Matrix<$IN, 1, $T>] $([$Type])+ [$crate::Matrix<$OUT, 1, $T>] }
            }

            impl<$($bounds)* $T: $crate::Scalar> $crate::sequence::Fields for $Name<$($args)* $T> {
                type List = $crate::__list!($([$Type])+);

                #[inline]
                fn layers(&self) -> <Self::List as $crate::sequence::List>::Layers<'_> {
                    $crate::__nest!($((&self.$field))+)
                }

                #[inline]
                fn layers_mut(&mut self) -> <Self::List as $crate::sequence::List>::LayersMut<'_> {
                    $crate::__nest!($((&mut self.$field))+)
                }

                #[inline]
                fn gradients(gradient: &mut Self::Gradient) -> <Self::List as $crate::sequence::List>::Gradients<'_> {
                    $crate::__nest!($((&mut gradient.$field))+)
                }
            }

            // The bound leaves the report of a misfit to `seams`; it is not repeated for every method.
            impl<$($bounds)* $T: $crate::Scalar, const __BATCH: usize>
                $crate::Layer<$crate::Matrix<$IN, __BATCH, $T>> for $Name<$($args)* $T>
            where
                <Self as $crate::sequence::Fields>::List: $crate::sequence::Sequence<
                    $crate::Matrix<$IN, __BATCH, $T>,
                    Scalar = $T,
                    Output = $crate::Matrix<$OUT, __BATCH, $T>,
                >,
            {
                type Output = $crate::Matrix<$OUT, __BATCH, $T>;
                type Cache = $crate::sequence::CacheOf<Self, $crate::Matrix<$IN, __BATCH, $T>>;
                type Scratch = $crate::sequence::ScratchOf<Self, $crate::Matrix<$IN, __BATCH, $T>>;
                const OPERATIONS: usize = <<Self as $crate::sequence::Fields>::List as $crate::sequence::Sequence<
                    $crate::Matrix<$IN, __BATCH, $T>,
                >>::OPERATIONS;

                #[inline]
                fn predict<'a>(
                    &'a self,
                    x: &'a $crate::Matrix<$IN, __BATCH, $T>,
                    scratch: &'a mut Self::Scratch,
                ) -> &'a Self::Output {
                    $crate::sequence::predict(self, x, scratch)
                }

                #[inline]
                fn forward(
                    &self,
                    x: &$crate::Matrix<$IN, __BATCH, $T>,
                    cache: &mut Self::Cache,
                    pass: &mut $crate::Pass,
                ) {
                    $crate::sequence::forward(self, x, cache, pass);
                }

                #[inline]
                fn output(cache: &Self::Cache) -> &Self::Output {
                    $crate::sequence::output::<Self, $crate::Matrix<$IN, __BATCH, $T>>(cache)
                }

                #[inline]
                fn backward(
                    &self,
                    x: &$crate::Matrix<$IN, __BATCH, $T>,
                    cache: &mut Self::Cache,
                    d_output: &mut Self::Output,
                    gradient: ::core::option::Option<&mut Self::Gradient>,
                    d_input: ::core::option::Option<&mut $crate::Matrix<$IN, __BATCH, $T>>,
                ) {
                    $crate::sequence::backward(self, x, cache, d_output, gradient, d_input);
                }

                #[inline]
                fn backward_for_parts(
                    &self,
                    x: &$crate::Matrix<$IN, __BATCH, $T>,
                    cache: &mut Self::Cache,
                    d_output: &mut Self::Output,
                    gradient: &mut Self::Gradient,
                    d_input: ::core::option::Option<&mut $crate::Matrix<$IN, __BATCH, $T>>,
                ) {
                    $crate::sequence::backward_for_parts(self, x, cache, d_output, gradient, d_input);
                }

                #[inline]
                fn gradient_bound(
                    i: usize,
                    x: &$crate::Matrix<$IN, __BATCH, $T>,
                    cache: &Self::Cache,
                    delta: &Self::Output,
                ) -> ::core::option::Option<$T> {
                    $crate::sequence::gradient_bound::<$crate::Matrix<$IN, __BATCH, $T>, Self>(i, x, cache, delta)
                }

                #[inline]
                fn gradient_parts(
                    x: &$crate::Matrix<$IN, __BATCH, $T>,
                    cache: &Self::Cache,
                    delta: &Self::Output,
                    gradient: &mut Self::Gradient,
                    each: impl FnMut($crate::Part, &[$T]),
                ) {
                    $crate::sequence::gradient_parts::<$crate::Matrix<$IN, __BATCH, $T>, Self>(
                        x, cache, delta, gradient, each,
                    );
                }

                #[inline]
                fn descend(
                    &mut self,
                    rate: $T,
                    x: &$crate::Matrix<$IN, __BATCH, $T>,
                    cache: &Self::Cache,
                    delta: &Self::Output,
                    gradient: ::core::option::Option<&mut Self::Gradient>,
                ) {
                    $crate::sequence::descend(self, rate, x, cache, delta, gradient);
                }
            }

            impl<$($bounds)* $T: $crate::Scalar> $crate::Online<$crate::Matrix<$IN, 1, $T>> for $Name<$($args)* $T>
            where
                <Self as $crate::sequence::Fields>::List: $crate::sequence::OnlineSequence<
                    $crate::Matrix<$IN, 1, $T>,
                    Scalar = $T,
                    Output = $crate::Matrix<$OUT, 1, $T>,
                >,
            {
            }

            impl<$($bounds)* $T: $crate::Scalar> $crate::summary::Summarize for $Name<$($args)* $T>
            where
                <Self as $crate::sequence::Fields>::List: $crate::sequence::Sequence<$crate::Matrix<$IN, 1, $T>>,
            {
                const NAME: &'static str = ::core::stringify!($Name);

                fn rows(row: &mut dyn FnMut($crate::summary::Row)) {
                    let mut fields = [$($crate::summary::Row::of::<$Type>(
                        ::core::stringify!($field),
                        ::core::stringify!($Type),
                    )),+].into_iter();
                    <<Self as $crate::sequence::Fields>::List as $crate::sequence::Sequence<
                        $crate::Matrix<$IN, 1, $T>,
                    >>::describe(&mut |outputs, operations| {
                        if let Some(field) = fields.next() {
                            row($crate::summary::Row { outputs, operations, ..field });
                        }
                    });
                }
            }
        };
    };
}

/// The type `(A, (B, (C,)))`.
#[doc(hidden)]
#[macro_export]
macro_rules! __list {
    ([$A:ty]) => { ($A,) };
    ([$A:ty] $($rest:tt)+) => { ($A, $crate::__list!($($rest)+)) };
}

/// The value `(a, (b, c))`.
#[doc(hidden)]
#[macro_export]
macro_rules! __nest {
    (($a:expr)) => { $a };
    (($a:expr) $($rest:tt)+) => { ($a, $crate::__nest!($($rest)+)) };
}

/// Asks of each layer whether it accepts what the one before it yields, and of the last whether it yields what is
/// declared.
#[doc(hidden)]
#[macro_export]
macro_rules! __seams {
    ($fits:ident $ends:ident [$X:ty] [$A:ty] [$Declared:ty]) => {
        $fits::<$A, $X>();
        $ends::<$A, $X, $Declared>();
    };
    ($fits:ident $ends:ident [$X:ty] [$A:ty] $($rest:tt)+) => {
        $fits::<$A, $X>();
        $crate::__seams! { $fits $ends [<$A as $crate::Layer<$X>>::Output] $($rest)+ }
    };
}

/// A struct of tensors is a tensor: its slices are those of its fields, one field after the other.
#[doc(hidden)]
#[macro_export]
macro_rules! __tensor {
    (
        $Name:ident [$($bounds:tt)*] [$($args:tt)*] $T:ident [$Gradient:ty]
        $(($field:ident: $Type:ty, $($role:tt)*))+ [$($marker:ident: $Marker:ty)?]
    ) => {
        $crate::__impl_zeroed!(
            [$($bounds)* $T: $crate::Scalar] $Name<$($args)* $T>,
            $Name {
                $($field: <$Type as $crate::Zeroed>::ZEROED,)+
                $($marker: <$Marker as $crate::Zeroed>::ZEROED,)?
            }
        );

        $crate::__impl_plain!([$($bounds)* $T: $crate::Scalar] $Name<$($args)* $T>: $($Type,)+ $($Marker)?);

        impl<$($bounds)* $T: $crate::Scalar> $crate::Tensor for $Name<$($args)* $T> {
            type Scalar = $T;
            type With<__U: $crate::Scalar> = $Name<$($args)* __U>;
            type Gradient = $Gradient;
            const SLICES: usize = 0 $(+ <$Type as $crate::Tensor>::SLICES)+;
            const LEN: usize = 0 $(+ <$Type as $crate::Tensor>::LEN)+;
            const FINGERPRINT: $crate::Fingerprint = $crate::Fingerprint::EMPTY
                $(.field(::core::stringify!($field), <$Type as $crate::Tensor>::FINGERPRINT $($role)*))+;

            #[inline]
            fn slice(&self, i: usize) -> &[$T] {
                $(
                    let (field, i) = (i, i.wrapping_sub(<$Type as $crate::Tensor>::SLICES));
                    if field < <$Type as $crate::Tensor>::SLICES {
                        return $crate::Tensor::slice(&self.$field, field);
                    }
                )+
                let _ = i;
                &[]
            }

            #[inline]
            fn slice_mut(&mut self, i: usize) -> &mut [$T] {
                $(
                    let (field, i) = (i, i.wrapping_sub(<$Type as $crate::Tensor>::SLICES));
                    if field < <$Type as $crate::Tensor>::SLICES {
                        return $crate::Tensor::slice_mut(&mut self.$field, field);
                    }
                )+
                let _ = i;
                &mut []
            }

            fn block(i: usize) -> $crate::Block {
                $(
                    let (field, i) = (i, i.wrapping_sub(<$Type as $crate::Tensor>::SLICES));
                    if field < <$Type as $crate::Tensor>::SLICES {
                        return <$Type as $crate::Tensor>::block(field)
                            $($role)*
                            .within(::core::stringify!($field));
                    }
                )+
                let _ = i;
                $crate::Block::new($crate::Role::Other, 0, 0)
            }
        }

        impl<$($bounds)* $T: $crate::Scalar> ::core::clone::Clone for $Name<$($args)* $T> {
            fn clone(&self) -> Self {
                $Name {
                    $($field: ::core::clone::Clone::clone(&self.$field),)+
                    $($marker: <$Marker as $crate::Zeroed>::ZEROED,)?
                }
            }
        }

        impl<$($bounds)* $T: $crate::Scalar> ::core::cmp::PartialEq for $Name<$($args)* $T> {
            fn eq(&self, other: &Self) -> bool {
                true $(&& self.$field == other.$field)+
            }
        }

        impl<$($bounds)* $T: $crate::Scalar> ::core::fmt::Debug for $Name<$($args)* $T> {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                f.debug_struct(::core::stringify!($Name))
                    $(.field(::core::stringify!($field), &self.$field))+
                    .finish()
            }
        }
    };
}
