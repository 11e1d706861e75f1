use chainrule::{Class, Dense, Identity, Sgd, SoftmaxCrossEntropy, Trainer, Zeroed};

fn main() {
    let mut trainer = Trainer::<Dense<2, 10, Identity>, Sgd, 1>::ZEROED;
    let sgd = Sgd::new(0.1).unwrap();
    let labels = [Class::<9>::new(3).unwrap()];
    let _ = trainer.step(&sgd, &SoftmaxCrossEntropy, &[[0.0; 2]], &labels);
}
