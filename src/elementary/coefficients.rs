//! The numbers that differ between `f32` and `f64`.
//!
//! Every polynomial is a minimax fit of our own (least squares with Lawson's weights, then Remez' exchange, in 50
//! digits), the lowest power first; u is half a unit in the last place of numbers just below 1: 2⁻²⁴, 2⁻⁵³.

#![allow(clippy::excessive_precision)]

use core::ops::Neg;

/// The numbers of a function in sixteen pieces. A register of them lies in one cache line.
#[repr(align(64))]
pub(crate) struct Pieces<T>(pub [[T; 16]; 8]);

/// Constants and polynomials of one precision.
#[cfg_attr(not(feature = "simd"), allow(dead_code, reason = "for vector registers"))]
pub(crate) trait Precision: Copy + Neg<Output = Self> + 'static {
    /// 1.5 · 2²³ or 1.5 · 2⁵²: adding it and taking it away again rounds a small number to a whole one.
    const ROUNDER: Self;
    /// 1 / ln 2.
    const LOG2_E: Self;
    const MINUS_2_LOG2_E: Self;
    const LN_2: Self;
    /// ln 2 in two parts. The high one ends in enough zero bits for its product with any exponent to be exact.
    const LN_2_HIGH: Self;
    const LN_2_LOW: Self;
    /// eˣ rounds to 0 here, and 2ⁿ for the n of the reduction can still be scaled by.
    const EXP_IS_ZERO: Self;
    /// eˣ overflows here.
    const EXP_IS_INFINITE: Self;
    /// eʳ = 1 + r + r² P(r) for |r| ≤ ½ ln 2, relative to eʳ − 1.
    const EXP: &'static [Self];
    /// ln((1 + s) / (1 − s)) = 2s + s z P(z), z = s², for √½ ≤ (1 + s) / (1 − s) ≤ √2; relative.
    const LN: &'static [Self];
    /// Where the two forms of erf meet.
    const ERF_SEAM: Self;
    /// erf x rounds to 1 here.
    const ERF_IS_ONE: Self;
    /// erf x = x + x P(x²) for |x| < `ERF_SEAM`; relative.
    const ERF_NEAR: &'static [Self];
    /// ln(1 − erf x) = P(x) from `ERF_SEAM` to `ERF_IS_ONE`, as precise as it moves erf x.
    const ERF_FAR: &'static [Self];

    /// tanh x in sixteen pieces, which [`Lanes::look_up`](crate::lanes::Lanes::look_up) finds by x + ¾, for 0 ≤ x ≤ 9.02: the
    /// centre of each, and the coefficients of a polynomial in the distance from there.
    const TANH: Option<&'static Pieces<Self>>;

    fn from_f64(value: f64) -> Self;
    /// A number that an `f32` holds exactly.
    fn exactly(value: f32) -> Self;
}

impl Precision for f32 {
    const ROUNDER: Self = 12_582_912.0;
    const LOG2_E: Self = core::f32::consts::LOG2_E;
    const MINUS_2_LOG2_E: Self = -2.0 * Self::LOG2_E;
    const LN_2: Self = core::f32::consts::LN_2;
    // 355/512, as in Cephes.
    const LN_2_HIGH: Self = 0.693_359_375;
    const LN_2_LOW: Self = -2.121_944_4e-4;
    const EXP_IS_ZERO: Self = -104.0;
    const EXP_IS_INFINITE: Self = 89.0;
    // Within 0.22 u.
    const EXP: &'static [Self] = &[4.9999997e-01, 1.6666543e-01, 4.16672e-02, 8.366591e-03, 1.3882505e-03];
    // Within 0.014 u.
    const LN: &'static [Self] = &[6.6666776e-01, 3.9977527e-01, 2.987228e-01];
    const ERF_SEAM: Self = 0.875;
    const ERF_IS_ONE: Self = 3.94;
    // Within 0.14 u.
    const ERF_NEAR: &'static [Self] =
        &[1.2837915e-01, -3.761255e-01, 1.1282455e-01, -2.6791463e-02, 5.0321813e-03, -6.2032556e-04];
    // Within 0.03 u.
    const ERF_FAR: &'static [Self] =
        &[-1.3357685e-04, -1.1279361e+00, -6.367372e-01, -1.0432749e-01, 2.242021e-02, -3.0922904e-03, 2.0099603e-04];

    // Interpolated at Chebyshev's nodes, within 0.24 u. Near the middle of each piece the centre is the number whose
    // hyperbolic tangent comes closest to an f32: that is the first coefficient. The first piece, up to ⅛, is centred at 0;
    // one place is never looked up.
    #[rustfmt::skip]
    const TANH: Option<&'static Pieces<Self>> = Some(&Pieces([
        [1.5003363, 2.000336, 2.4997172, 3.0006678, 3.7507064, 4.749885, 5.7513347, 6.7500186, 8.131186, 0.0, 0.0, 0.18747158, 0.37508607, 0.62510663, 0.875142, 1.1253259],
        [0.905209, 0.9640513, 0.9866068, 0.99506134, 0.998896, 0.9998503, 0.9999798, 0.99999726, 0.9999998, 0.0, 0.0, 0.18530576, 0.3584324, 0.55467355, 0.7039772, 0.8094135],
        [0.18059663, 0.07060508, 0.026607068, 0.009852935, 0.0022067886, 0.0002994332, 4.0411796e-05, 5.483652e-06, 3.453329e-07, 0.0, 1.0, 0.96566176, 0.8715262, 0.6923373, 0.50441605, 0.3448498],
        [-0.1634777, -0.06806692, -0.026250713, -0.009804272, -0.0022043437, -0.00029938642, -4.0410792e-05, -5.4835227e-06, -2.156286e-07, 0.0, -3.1348653e-09, -0.17894268, -0.31238323, -0.38402116, -0.3550974, -0.27912608],
        [0.08779129, 0.042086445, 0.017029941, 0.00647135, 0.0014653818, 0.0001993962, 2.6920987e-05, 3.6532176e-06, 2.3601872e-07, 0.0, -0.3333321, -0.28872788, -0.1785422, -0.017776765, 0.08184029, 0.110978834],
        [-0.024971703, -0.017884148, -0.008051915, -0.003171505, -0.0007296725, -9.967832e-05, -1.3463461e-05, -1.8281543e-06, -5.599354e-07, 0.0, -8.0411985e-05, 0.113149785, 0.16811948, 0.1378661, 0.060752403, 0.0032149104],
        [-0.0030156374, 0.0047185766, 0.002865739, 0.001225805, 0.00029928275, 4.1268482e-05, 5.5819096e-06, 7.5763893e-07, 4.2914902e-08, 0.0, 0.13514076, 0.096560836, 0.018918859, -0.0544661, -0.058579627, -0.031992357],
        [0.007185797, -0.00011862802, -0.0007154444, -0.00037314545, -9.713107e-05, -1.3583912e-05, -1.8464767e-06, -2.4780326e-07, 3.620779e-07, 0.0, -0.01663352, -0.05936622, -0.06913063, -0.024022086, 0.013041692, 0.01849783],
    ]));

    fn from_f64(value: f64) -> Self {
        value as f32
    }
    #[inline(always)]
    fn exactly(value: f32) -> Self {
        value
    }
}

impl Precision for f64 {
    const ROUNDER: Self = 6_755_399_441_055_744.0;
    const LOG2_E: Self = core::f64::consts::LOG2_E;
    const MINUS_2_LOG2_E: Self = -2.0 * Self::LOG2_E;
    const LN_2: Self = core::f64::consts::LN_2;
    // The upper 32 bits of ln 2, as in FDLIBM.
    const LN_2_HIGH: Self = 6.931_471_803_691_238_164_9e-1;
    const LN_2_LOW: Self = 1.908_214_929_270_587_700_02e-10;
    const EXP_IS_ZERO: Self = -746.0;
    const EXP_IS_INFINITE: Self = 710.0;
    // Within 0.16 u.
    const EXP: &'static [Self] = &[
        0.5000000000000006,
        0.16666666666666588,
        0.041666666666576,
        0.008333333333389701,
        0.001388888893182645,
        0.0001984126971895007,
        2.480150494333029e-05,
        2.7557407280315893e-06,
        2.762617506580147e-07,
        2.505397422026966e-08,
    ];
    // Within 0.011 u.
    const LN: &'static [Self] = &[
        0.6666666666666735,
        0.399999999994128,
        0.2857142874288815,
        0.22222198513796304,
        0.18183567809858608,
        0.15313951708178183,
        0.14797031887822992,
    ];
    const ERF_SEAM: Self = 1.0;
    const ERF_IS_ONE: Self = 5.95;
    // Within 0.07 u.
    const ERF_NEAR: &'static [Self] = &[
        0.12837916709551256,
        -0.3761263890318352,
        0.11283791670944185,
        -0.026866170643111482,
        0.005223977606118594,
        -0.0008548325929320024,
        0.00012055293577058616,
        -1.4924712304909354e-05,
        1.6447131605534342e-06,
        -1.6206314010428478e-07,
        1.3710981447700854e-08,
        -7.779470381534903e-10,
    ];
    // Within 0.06 u.
    const ERF_FAR: &'static [Self] = &[
        -5.028092447390072e-07,
        -1.1283740898754786,
        -0.6366436262636685,
        -0.10270344464758677,
        0.01899018878267497,
        0.00041061389281547774,
        -0.001915928449844854,
        0.0007706310476229505,
        -0.0001350426299722174,
        -2.027052915469809e-05,
        2.2824025497824667e-05,
        -8.667633890190692e-06,
        2.1357893822596505e-06,
        -3.733230082098356e-07,
        4.642552454211593e-08,
        -3.934498073734626e-09,
        2.0450958070788684e-10,
        -4.928968629945462e-12,
    ];

    const TANH: Option<&'static Pieces<Self>> = None;

    fn from_f64(value: f64) -> Self {
        value
    }
    #[inline(always)]
    fn exactly(value: f32) -> Self {
        Self::from(value)
    }
}

/// sin 2πr = r P(r²) for |r| ≤ 1/8, relative: within 0.03 u.
pub(super) const SIN_OF_TURN: &[f64] = &[
    core::f64::consts::TAU,
    -41.341702240399634,
    81.60524927594452,
    -76.7058597033152,
    42.05868490206329,
    -15.093797505790393,
    3.780726184370427,
];

/// cos 2πr = 1 + r² P(r²) for |r| ≤ 1/8, relative: within 0.001 u.
pub(super) const COS_OF_TURN: &[f64] = &[
    -19.739208802178716,
    64.93939402266798,
    -85.45681720652829,
    60.244641329385765,
    -26.426250927315813,
    7.903091591340574,
    -1.6968347574509823,
];
