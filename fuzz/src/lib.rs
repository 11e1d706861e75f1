//! What the fuzz targets share: the network that they read, and inputs whose checksums are right.

use chainrule::{Adam, ClipNorm, Dense, Frozen, Identity, LayerNorm, Tanh, Tensor, Trainer, network};

network! {
    /// A few layers of different kinds.
    pub struct Net<T = f32>: 3 => 2 {
        hidden: Dense<3, 4, Tanh, T>,
        norm: LayerNorm<4, T>,
        fixed: Frozen<Dense<4, 4, Tanh, T>>,
        output: Dense<4, 2, Identity, T>,
    }
}

/// The rule of the checkpoints.
pub type Rule = ClipNorm<Adam>;

/// The trainer of the checkpoints.
pub type Run = Trainer<Net, Rule, 4>;

/// The rule, with its hyper-parameters.
pub fn rule() -> Rule {
    ClipNorm { optimizer: Adam::new(0.01).expect("a learning rate"), limit: 1.0 }
}

/// The input as it is, then with its checksums made right, so that what lies behind them is reached.
pub fn with_and_without_checksums(data: &[u8], mut reader: impl FnMut(&[u8])) {
    reader(data);
    let mut sealed = data.to_vec();
    let checkpoint = sealed.get(12) == Some(&2);
    if let Some(record) = sealed.get_mut(64..320).filter(|_| checkpoint) {
        seal(record);
    }
    if let Some((header, body)) = sealed.split_at_mut_checked(64) {
        header[56..60].copy_from_slice(&crc32fast::hash(body).to_le_bytes());
        seal(header);
    }
    reader(&sealed);
}

/// The last four bytes become the checksum of those before.
fn seal(bytes: &mut [u8]) {
    let (checked, place) = bytes.split_last_chunk_mut().expect("more than four bytes");
    *place = crc32fast::hash(checked).to_le_bytes();
}

/// All scalars, NaN and −0 told apart.
pub fn bits<P: Tensor<Scalar = f32>>(tensor: &P) -> Vec<u32> {
    (0..P::SLICES).flat_map(|i| tensor.slice(i).iter().map(|x| x.to_bits())).collect()
}
