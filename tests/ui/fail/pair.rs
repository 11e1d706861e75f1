use chainrule::{Dense, Identity, Layer, Tanh, Vector, Zeroed};

type Net = (Dense<2, 8, Tanh>, Dense<7, 1, Identity>);

fn main() {
    let net = Net::ZEROED;
    let mut scratch = Zeroed::ZEROED;
    net.predict(&Vector::from([0.0, 1.0]), &mut scratch);
}
