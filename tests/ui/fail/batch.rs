use chainrule::{Dense, Identity, MeanSquaredError, Sgd, Trainer, Zeroed};

fn main() {
    let mut trainer = Trainer::<Dense<2, 1, Identity>, Sgd, 4>::ZEROED;
    let sgd = Sgd::new(0.1).unwrap();
    let inputs = [[0.0; 2]; 4];
    let targets = [[0.0; 1]; 3];
    let _ = trainer.step(&sgd, &MeanSquaredError, &inputs, &targets);
}
