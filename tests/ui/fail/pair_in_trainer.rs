use chainrule::{Dense, Identity, Sgd, Tanh, Trainer, Zeroed};

type Net = (Dense<2, 8, Tanh>, Dense<7, 1, Identity>);

fn main() {
    let _ = Trainer::<Net, Sgd, 4>::ZEROED;
}
