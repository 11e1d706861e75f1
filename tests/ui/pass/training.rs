//! Beside batch, classes, loss, sample and optimizer_state: the same, and it fits.

use chainrule::{Adam, Class, Dense, Identity, MeanSquaredError, Optimizer, Sgd, SoftmaxCrossEntropy, Trainer, Zeroed};

fn main() {
    let sgd = Sgd::new(0.1).unwrap();
    let mut trainer = Trainer::<Dense<2, 1, Identity>, Sgd, 4>::ZEROED;
    trainer.step(&sgd, &MeanSquaredError, &[[0.0; 2]; 4], &[[0.0; 1]; 4]).unwrap();
    let mut trainer = Trainer::<Dense<2, 10, Identity>, Sgd, 1>::ZEROED;
    let labels = [Class::<10>::new(3).unwrap()];
    trainer.step(&sgd, &SoftmaxCrossEntropy, &[[0.0; 2]], &labels).unwrap();
    trainer.epoch(&sgd, &MeanSquaredError, &[[0.0; 2]], &[[0.0; 10]]).unwrap();

    type Small = Dense<2, 1, Identity>;
    let (mut network, gradient) = (Small::ZEROED, Small::ZEROED);
    let mut state = <Adam as Optimizer>::State::<Small>::ZEROED;
    Adam::new(0.1).unwrap().step(1, &mut network, &gradient, &mut state).unwrap();
}
