use chainrule::{Dense, Identity, MeanSquaredError, Sgd, Trainer, Zeroed};

fn main() {
    let mut trainer = Trainer::<Dense<2, 1, Identity>, Sgd, 1>::ZEROED;
    let sgd = Sgd::new(0.1).unwrap();
    let _ = trainer.step(&sgd, &MeanSquaredError, &[[0.0; 3]], &[[0.0]]);
}
