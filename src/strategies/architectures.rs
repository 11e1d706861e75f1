/// Calls `callback! { name, [Type], inputs, outputs }` for each of 28 architectures at the edges: widths 1, 2, 3, 7,
/// 8, 9, 15 to 17, 31 to 33, 64 and 65, depths 1 to 4, every activation, frozen, residual and random layers inside.
///
/// The types have the scalar `f32`; `<Type as Tensor>::With<f64>` is another. A name may become a test's.
///
/// ```
/// use chainrule::{Tensor, for_each_architecture};
///
/// let mut count = 0;
/// macro_rules! largest {
///     ($name:ident, [$Net:ty], $inputs:tt, $outputs:tt) => {
///         assert!(<$Net as Tensor>::LEN >= $inputs * $outputs || $inputs > 2);
///         count += 1;
///     };
/// }
/// for_each_architecture!(largest);
/// assert_eq!(count, 28);
/// ```
#[macro_export]
macro_rules! for_each_architecture {
    ($callback:ident) => {
        // One layer: every width at the edge of a register or a tile, and every activation.
        $callback! { one_to_one, [$crate::Dense<1, 1, $crate::Identity>], 1, 1 }
        $callback! { one_to_two, [$crate::Dense<1, 2, $crate::Tanh>], 1, 2 }
        $callback! { two_to_one, [$crate::Dense<2, 1, $crate::Sigmoid>], 2, 1 }
        $callback! { three_to_seven, [$crate::Dense<3, 7, $crate::Relu>], 3, 7 }
        $callback! { seven_to_three, [$crate::Dense<7, 3, $crate::LeakyRelu>], 7, 3 }
        $callback! { eight_to_eight, [$crate::Dense<8, 8, $crate::Softplus>], 8, 8 }
        $callback! { nine_to_fifteen, [$crate::Dense<9, 15, $crate::Tanh>], 9, 15 }
        $callback! { fifteen_to_sixteen, [$crate::Dense<15, 16, $crate::Relu>], 15, 16 }
        $callback! { sixteen_to_seventeen, [$crate::Dense<16, 17, $crate::Sigmoid>], 16, 17 }
        $callback! { seventeen_to_thirty_one, [$crate::Dense<17, 31, $crate::LeakyRelu<1, 4>>], 17, 31 }
        $callback! { thirty_one_to_thirty_two, [$crate::Dense<31, 32, $crate::Softplus>], 31, 32 }
        $callback! { thirty_two_to_thirty_three, [$crate::Dense<32, 33, $crate::Tanh>], 32, 33 }
        $callback! { thirty_three_to_sixty_four, [$crate::Dense<33, 64, $crate::Identity>], 33, 64 }
        $callback! { sixty_four_to_sixty_five, [$crate::Dense<64, 65, $crate::Tanh>], 64, 65 }
        $callback! { sixty_five_to_one, [$crate::Dense<65, 1, $crate::Sigmoid>], 65, 1 }

        // Two.
        $callback! { xor, [($crate::Dense<2, 8, $crate::Tanh>, $crate::Dense<8, 1>)], 2, 1 }
        $callback! { wide_relu, [($crate::Dense<9, 33, $crate::Relu>, $crate::Dense<33, 7>)], 9, 7 }
        $callback! { digits, [($crate::Dense<64, 32, $crate::Tanh>, $crate::Dense<32, 10>)], 64, 10 }

        // Three: smooth, and through a bottleneck of one neuron.
        $callback! {
            three_smooth,
            [(
                $crate::Dense<3, 16, $crate::Softplus>,
                ($crate::Dense<16, 17, $crate::Tanh>, $crate::Dense<17, 2, $crate::Sigmoid>),
            )],
            3, 2
        }
        $callback! {
            bottleneck,
            [($crate::Dense<8, 1, $crate::Tanh>, ($crate::Dense<1, 9, $crate::Softplus>, $crate::Dense<9, 3>))],
            8, 3
        }

        // Four: smooth, and kinked.
        $callback! {
            four_smooth,
            [(
                $crate::Dense<7, 15, $crate::Tanh>,
                (
                    $crate::Dense<15, 8, $crate::Sigmoid>,
                    ($crate::Dense<8, 16, $crate::Softplus>, $crate::Dense<16, 3>),
                ),
            )],
            7, 3
        }
        $callback! {
            four_kinked,
            [(
                $crate::Dense<4, 9, $crate::Relu>,
                (
                    $crate::Dense<9, 8, $crate::LeakyRelu>,
                    ($crate::Dense<8, 7, $crate::Relu>, $crate::Dense<7, 2, $crate::LeakyRelu<1, 2>>),
                ),
            )],
            4, 2
        }

        // Frozen first, frozen in the middle.
        $callback! {
            frozen_body,
            [($crate::Frozen<$crate::Dense<4, 9, $crate::Tanh>>, $crate::Dense<9, 2>)],
            4, 2
        }
        $callback! {
            frozen_middle,
            [(
                $crate::Dense<5, 8, $crate::Tanh>,
                ($crate::Frozen<$crate::Dense<8, 8, $crate::Softplus>>, $crate::Dense<8, 3, $crate::Sigmoid>),
            )],
            5, 3
        }

        // Shortcuts.
        $callback! { residual, [$crate::Residual<$crate::Dense<8, 8, $crate::Tanh>>], 8, 8 }
        $callback! {
            residual_block,
            [(
                $crate::Dense<3, 16, $crate::Relu>,
                (
                    $crate::Residual<($crate::Dense<16, 7, $crate::Tanh>, $crate::Dense<7, 16>)>,
                    $crate::Dense<16, 2>,
                ),
            )],
            3, 2
        }

        // Random layers.
        $callback! {
            dropout,
            [($crate::Dense<6, 17, $crate::Tanh>, ($crate::Dropout<1, 2>, $crate::Dense<17, 3>))],
            6, 3
        }
        $callback! {
            dropout_in_residual,
            [$crate::Residual<($crate::Dropout<1, 4>, $crate::Dense<9, 9, $crate::Sigmoid>)>],
            9, 9
        }
    };
}
