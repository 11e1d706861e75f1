pub(crate) fn cos_turns(u: f64) -> f64 {
    (u * core::f64::consts::TAU).cos()
}
