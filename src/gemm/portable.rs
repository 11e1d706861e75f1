//! Any scalar, any machine.
use crate::Scalar;
pub(crate) fn forward<T: Scalar, const OUT: usize, const IN: usize, const B: usize>(
    w: &[[T; OUT]; IN],
    x: &[[T; IN]; B],
    b: &[T; OUT],
    z: &mut [[T; OUT]; B],
) {
    for (z, x) in z.iter_mut().zip(x) {
        *z = *b;
        for (w, x) in w.iter().zip(x) {
            for (z, w) in z.iter_mut().zip(w) {
                *z += *w * *x;
            }
        }
    }
}
pub(crate) fn backward<T: Scalar, const OUT: usize, const IN: usize, const B: usize>(
    w: &[[T; OUT]; IN],
    delta: &[[T; OUT]; B],
    d: &mut [[T; IN]; B],
) {
    for (d, delta) in d.iter_mut().zip(delta) {
        for (d, w) in d.iter_mut().zip(w) {
            let mut s = T::ZERO;
            for (w, delta) in w.iter().zip(delta) {
                s += *w * *delta;
            }
            *d = s;
        }
    }
}
pub(crate) fn gradient<T: Scalar, const OUT: usize, const IN: usize, const B: usize>(
    delta: &[[T; OUT]; B],
    x: &[[T; IN]; B],
    g: &mut [[T; OUT]; IN],
) {
    for (delta, x) in delta.iter().zip(x) {
        for (g, x) in g.iter_mut().zip(x) {
            for (g, d) in g.iter_mut().zip(delta) {
                *g += *d * *x;
            }
        }
    }
}
