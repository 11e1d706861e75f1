use chainrule::{Class, Dense, Identity, MeanSquaredError, Sgd, Trainer, Zeroed};

fn main() {
    let mut trainer = Trainer::<Dense<2, 10, Identity>, Sgd, 1>::ZEROED;
    let sgd = Sgd::new(0.1).unwrap();
    let labels = [Class::<10>::new(3).unwrap()];
    let _ = trainer.epoch(&sgd, &MeanSquaredError, &[[0.0; 2]], &labels);
}
