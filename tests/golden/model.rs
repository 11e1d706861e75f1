// 23 weights in 8 blocks, fingerprint 6389584d, by chainrule::weights::write_source.

/// `hidden.weights`, 3 × 2, column by column.
#[rustfmt::skip]
pub static HIDDEN_WEIGHTS: [[f32; 3]; 2] = [
    [0.6980169, -0.9357326, -0.66326636],
    [0.5697856, 0.39416346, -0.3601058],
];

/// `hidden.bias`, 3 × 1, column by column.
#[rustfmt::skip]
pub static HIDDEN_BIAS: [[f32; 3]; 1] = [
    [0.0, 0.0, 0.0],
];

/// `skip.0.weights`, 1 × 3, column by column.
#[rustfmt::skip]
pub static SKIP_0_WEIGHTS: [[f32; 1]; 3] = [
    [-0.12704301],
    [-1.1091727],
    [-0.18083388],
];

/// `skip.0.bias`, 1 × 1, column by column.
#[rustfmt::skip]
pub static SKIP_0_BIAS: [[f32; 1]; 1] = [
    [0.0],
];

/// `skip.1.weights`, 3 × 1, column by column.
#[rustfmt::skip]
pub static SKIP_1_WEIGHTS: [[f32; 3]; 1] = [
    [-0.24522662, -0.26103574, -1.1634723],
];

/// `skip.1.bias`, 3 × 1, column by column.
#[rustfmt::skip]
pub static SKIP_1_BIAS: [[f32; 3]; 1] = [
    [0.0, 0.0, 0.0],
];

/// `output.weights`, 1 × 3, column by column.
#[rustfmt::skip]
pub static OUTPUT_WEIGHTS: [[f32; 1]; 3] = [
    [-0.43729028],
    [0.33244076],
    [0.7853417],
];

/// `output.bias`, 1 × 1, column by column.
#[rustfmt::skip]
pub static OUTPUT_BIAS: [[f32; 1]; 1] = [
    [0.0],
];
