use super::{Architecture, Number, Stored};
use crate::{Block, Name, Parameters};
use core::fmt::{self, Write};
use core::slice;

/// Writes the weights of `network` as Rust source that needs nothing else, neither this crate nor `std`: a `static` for
/// each block, `HIDDEN_WEIGHTS` for `hidden.weights`, as an array of its columns.
///
/// Every bit is kept: numbers are written with as many digits as tell them apart, −0 with its sign, and NaN, which has no
/// digits, as its bits. Arrays are what matrices are made from, in a `static` too, and the compiler checks the shapes:
///
/// ```
/// use chainrule::{network, weights, Dense, Identity, Matrix, Vector, Zeroed};
///
/// network! {
///     struct Net<T = f32>: 2 => 1 {
///         output: Dense<2, 1, Identity, T>,
///     }
/// }
///
/// let mut source = String::new(); // whatever implements `core::fmt::Write`
/// weights::write_source(&Net::<f32>::ZEROED, &mut source)?;
/// assert!(source.contains("pub static OUTPUT_WEIGHTS: [[f32; 1]; 2] = [\n    [0.0],\n    [0.0],\n];"));
///
/// # mod model { pub static OUTPUT_WEIGHTS: [[f32; 1]; 2] = [[0.0], [0.0]]; pub static OUTPUT_BIAS: [[f32; 1]; 1] = [[0.0]]; }
/// // In another program, `mod model;` being that source:
/// static NET: Net = Net {
///     output: Dense::from_parts(
///         Matrix::from_columns(model::OUTPUT_WEIGHTS),
///         Vector::from_columns(model::OUTPUT_BIAS),
///     ),
/// };
/// assert_eq!(NET, Net::ZEROED);
/// # Ok::<(), std::fmt::Error>(())
/// ```
///
/// # Errors
///
/// Those of `out`.
pub fn write_source<N: Parameters<Scalar: Stored>>(network: &N, out: &mut impl Write) -> fmt::Result {
    writeln!(out, "// {}, by chainrule::weights::write_source.", Architecture::of::<N>())?;
    for i in 0..N::SLICES {
        let Block { name, rows, columns, .. } = N::block(i);
        writeln!(out, "\n/// `{name}`, {rows} × {columns}, column by column.")?;
        out.write_str("#[rustfmt::skip]\npub static ")?;
        write_identifier(&name, out)?;
        writeln!(out, ": [[{}; {rows}]; {columns}] = [", N::Scalar::NUMBER)?;
        for column in network.slice(i).chunks_exact(rows.max(1)) {
            for (j, x) in column.iter().enumerate() {
                out.write_str(if j == 0 { "    [" } else { ", " })?;
                write_number(x, out)?;
            }
            out.write_str("],\n")?;
        }
        out.write_str("];\n")?;
    }
    Ok(())
}

/// `skip.0.weights` becomes `SKIP_0_WEIGHTS`, `0.bias` becomes `_0_BIAS`.
fn write_identifier(name: &Name, out: &mut impl Write) -> fmt::Result {
    for (i, part) in name.parts().enumerate() {
        if i > 0 || part.starts_with(|c: char| c.is_ascii_digit()) {
            out.write_char('_')?;
        }
        // Of `r#type` the mark falls away.
        for c in part.chars().filter(|c| *c != '#').flat_map(char::to_uppercase) {
            out.write_char(c)?;
        }
    }
    Ok(())
}

/// A literal of the same bits.
fn write_number<T: Stored>(x: &T, out: &mut impl Write) -> fmt::Result {
    let mut bytes = [0; 8];
    T::encode(slice::from_ref(x), &mut bytes);
    let bits = u64::from_le_bytes(bytes);
    match T::NUMBER {
        Number::F32 => match f32::from_bits(bits as u32) {
            x if x.is_finite() => write!(out, "{x:?}"),
            _ => write!(out, "f32::from_bits(0x{bits:08x})"),
        },
        Number::F64 => match f64::from_bits(bits) {
            x if x.is_finite() => write!(out, "{x:?}"),
            _ => write!(out, "f64::from_bits(0x{bits:016x})"),
        },
    }
}
