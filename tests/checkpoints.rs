//! Checkpoints: a run that was interrupted continues to the very bits of one that was not, and what is not a checkpoint
//! of this run is refused with the trainer as it was.
#![allow(missing_docs)]

mod common;

use chainrule::weights::{self, WeightsError};
use chainrule::*;
use common::bits;
use proptest::prelude::*;

network! {
    /// With draws in every step, and a layer that is not trained.
    struct Net<T = f32>: 3 => 2 {
        hidden: Dense<3, 4, Tanh, T>,
        norm: LayerNorm<4, T>,
        masked: Dropout<1, 4, T>,
        fixed: Frozen<Dense<4, 4, Tanh, T>>,
        output: Dense<4, 2, Identity, T>,
    }
}

type Run<O, T = f32> = Trainer<Net<T>, O, 4>;

/// What comes next: an epoch over so many samples, a step on one batch, or one on several.
#[derive(Clone, Copy, Debug)]
enum Call {
    Epoch(usize),
    Step,
    Accumulate(usize),
}

fn calls() -> impl Strategy<Value = Vec<Call>> {
    let call =
        prop_oneof![(1..14_usize).prop_map(Call::Epoch), Just(Call::Step), (1..14_usize).prop_map(Call::Accumulate)];
    prop::collection::vec(call, 1..6)
}

fn samples<T: Scalar>(count: usize) -> (Vec<[T; 3]>, Vec<[T; 2]>) {
    let mut random = Random::new(count as u64, 5);
    let mut draw = || T::from_f64(random.normal());
    (0..count).map(|_| ([draw(), draw(), draw()], [draw(), draw()])).unzip()
}

fn make<O: Optimizer + 'static, T: Scalar>(trainer: &mut Run<O, T>, rule: &O, calls: &[Call]) {
    let loss = MeanSquaredError;
    for call in calls {
        match *call {
            Call::Epoch(count) => {
                let (inputs, targets) = samples(count);
                trainer.epoch(rule, &loss, &inputs, &targets).unwrap();
            }
            Call::Step => {
                let (inputs, targets) = samples(4);
                trainer.step(rule, &loss, &inputs.try_into().unwrap(), &targets.try_into().unwrap()).unwrap();
            }
            Call::Accumulate(count) => {
                let (inputs, targets) = samples(count);
                trainer.accumulate(rule, &loss, &inputs, &targets).unwrap();
            }
        }
    }
}

/// All that a trainer knows from one call to the next.
fn knows<O: Optimizer + 'static, T: Scalar>(trainer: &Run<O, T>) -> (Vec<u64>, Vec<u64>, u64, u64) {
    (bits(&trainer.network), bits(trainer.state()), trainer.steps(), trainer.epochs())
}

fn saved<O: Optimizer + 'static, T: Scalar + weights::Stored>(trainer: &Run<O, T>, rule: &O) -> Vec<u8> {
    let mut bytes = vec![0xaa; Run::<O, T>::CHECKPOINT_LENGTH];
    trainer.write_checkpoint(rule, &mut bytes).unwrap();
    bytes
}

/// Interrupted after `before`, the run continues in another trainer, with other weights, seed and state.
fn resumes<O: Optimizer + 'static, T: Scalar + weights::Stored>(rule: &O, seed: u64, before: &[Call], after: &[Call]) {
    let name = O::NAME;
    let mut uninterrupted = Run::<O, T>::boxed();
    uninterrupted.init(seed);
    make(&mut uninterrupted, rule, before);
    let file = saved(&uninterrupted, rule);
    make(&mut uninterrupted, rule, after);

    let mut resumed = Run::<O, T>::boxed();
    resumed.init(!seed);
    make(&mut resumed, rule, &[Call::Epoch(5)]);
    resumed.read_checkpoint(rule, &file).unwrap();
    assert!(saved(&resumed, rule) == file, "{name}: written, read and written again");
    make(&mut resumed, rule, after);
    assert!(knows(&resumed) == knows(&uninterrupted), "{name}: other weights, state or counters");
    assert!(saved(&resumed, rule) == saved(&uninterrupted, rule), "{name}: another seed");
}

fn slow_body(block: &Block) -> f64 {
    if block.name.parts().next() == Some("hidden") { 0.25 } else { 1.0 }
}

proptest! {
    #[test]
    fn resumed_is_uninterrupted(seed: u64, before in calls(), after in calls()) {
        macro_rules! each {
            ($($rule:expr),* $(,)?) => { $(
                resumes::<_, f32>(&$rule, seed, &before, &after);
                resumes::<_, f64>(&$rule, seed, &before, &after);
            )* };
        }
        let adam = Adam::new(0.01).unwrap();
        let schedule = WarmUp { steps: 3, then: CosineDecay { steps: 9, floor: 0.0 } };
        each!(
            Sgd::new(0.01).unwrap(),
            Momentum::new(0.01).unwrap(),
            Nesterov::new(0.01).unwrap(),
            adam,
            AdamW::new(0.01).unwrap(),
            RmsProp::new(0.01).unwrap(),
            Adagrad::new(0.01).unwrap(),
            Rprop::new(0.01).unwrap(),
            ClipValue { optimizer: Scheduled { optimizer: adam, schedule: StepDecay { every: 2, factor: 0.5 } }, limit: 0.1 },
            ClipNorm { optimizer: Scheduled { optimizer: AdamW::new(0.01).unwrap(), schedule }, limit: 0.1 },
            LayerRates { optimizer: Momentum::new(0.01).unwrap(), factor: slow_body },
        );
        resumes::<_, Strict<f32>>(&adam, seed, &before, &after);
    }
}

/// A checkpoint of Adam after two epochs.
fn checkpoint() -> (Adam, Box<Run<Adam>>, Vec<u8>) {
    let adam = Adam::new(0.01).unwrap();
    let mut trainer = Run::<Adam>::boxed();
    trainer.init(1);
    make(&mut trainer, &adam, &[Call::Epoch(7), Call::Epoch(7)]);
    let file = saved(&trainer, &adam);
    (adam, trainer, file)
}

/// The bytes are refused, and the trainer is as before.
#[track_caller]
fn refused<O: Optimizer + 'static>(rule: &O, bytes: &[u8]) -> WeightsError {
    let mut trainer = Run::<O>::boxed();
    trainer.init(9);
    make(&mut trainer, rule, &[Call::Epoch(5)]);
    let before = (knows(&trainer), saved(&trainer, rule));
    let error = trainer.read_checkpoint(rule, bytes).unwrap_err();
    assert!((knows(&trainer), saved(&trainer, rule)) == before, "the trainer has changed");
    let message = error.to_string();
    assert!(message.contains("expected") && message.contains("found"), "{message}");
    error
}

/// Makes the checksums right again: what lies behind them must be refused for its own sake.
fn resealed(mut file: Vec<u8>) -> Vec<u8> {
    let seal = |bytes: &mut [u8]| {
        let (checked, place) = bytes.split_last_chunk_mut().unwrap();
        *place = crc32fast::hash(checked).to_le_bytes();
    };
    seal(&mut file[64..320]);
    let body = crc32fast::hash(&file[64..]);
    file[56..60].copy_from_slice(&body.to_le_bytes());
    seal(&mut file[..64]);
    file
}

fn changed(at: usize, bytes: &[u8]) -> WeightsError {
    let (adam, _, mut file) = checkpoint();
    file[at..at + bytes.len()].copy_from_slice(bytes);
    refused(&adam, &resealed(file))
}

#[test]
fn every_proper_prefix_and_one_byte_more() {
    let (adam, _, file) = checkpoint();
    let expected = file.len() as u64;
    for length in (0..file.len()).chain([file.len() + 1]) {
        let bytes = [&file[..], &[0]].concat();
        assert_eq!(refused(&adam, &bytes[..length]), WeightsError::Length { expected, found: length as u64 });
        // Nor is it taken for a network.
        let error = weights::read(&mut Net::<f32>::new(1), &bytes[..length]).unwrap_err();
        assert!(matches!(error, WeightsError::Length { found, .. } if found == length as u64), "{length}: {error}");
    }
}

#[test]
fn every_flipped_bit() {
    let (adam, _, file) = checkpoint();
    let mut network = Net::<f32>::new(1);
    for bit in 0..8 * file.len() {
        let mut file = file.clone();
        file[bit / 8] ^= 1 << (bit % 8);
        refused(&adam, &file);
        assert!(weights::read(&mut network, &file).is_err() && network == Net::new(1), "bit {bit}");
    }
}

#[test]
fn of_another_rule() {
    let (_, _, file) = checkpoint();
    let found = Adam::NAME;
    let sgd = refused(&Sgd::new(0.01).unwrap(), &file);
    assert_eq!(sgd, WeightsError::Rule { expected: &Sgd::NAME, found });
    assert_eq!(sgd.to_string(), "expected a checkpoint of `Sgd`, found one of `Adam`");
    let error = refused(&ClipNorm { optimizer: AdamW::new(0.01).unwrap(), limit: 1.0 }, &file);
    assert_eq!(error.to_string(), "expected a checkpoint of `ClipNorm<WeightDecay<Adam>>`, found one of `Adam`");
    // The same state, and still another rule.
    for error in [
        refused(&Rprop::new(0.01).unwrap(), &file),
        refused(&Scheduled { optimizer: Adam::new(0.01).unwrap(), schedule: ConstantRate }, &file),
    ] {
        assert!(matches!(error, WeightsError::Rule { .. }), "{error}");
    }
}

#[test]
fn of_other_hyperparameters() {
    let (adam, _, file) = checkpoint();
    let error = refused(&Adam { beta2: 0.99, ..adam }, &file);
    assert_eq!(error, WeightsError::Hyperparameter { name: "beta2", expected: 0.99, found: 0.999 });
    assert_eq!(error.to_string(), "beta2: expected 0.99, found 0.999");
    assert_eq!(refused(&Adam::new(0.02).unwrap(), &file).to_string(), "learning_rate: expected 0.02, found 0.01");
}

/// The two networks have equal weights, and one of them trains fewer.
#[test]
fn where_other_layers_are_frozen() {
    type Free = (Dense<3, 4, Tanh>, Dense<4, 2>);
    type Fixed = (Frozen<Dense<3, 4, Tanh>>, Dense<4, 2>);
    assert_eq!(weights::Architecture::of::<Free>(), weights::Architecture::of::<Fixed>());
    let adam = Adam::new(0.01).unwrap();
    let mut bytes = [0; Trainer::<Free, Adam, 4>::CHECKPOINT_LENGTH];
    Trainer::<Free, Adam, 4>::boxed().write_checkpoint(&adam, &mut bytes).unwrap();
    let error = Trainer::<Fixed, Adam, 4>::boxed().read_checkpoint(&adam, &bytes).unwrap_err();
    assert!(matches!(error, WeightsError::State { .. }), "{error}");
}

#[test]
fn networks_and_checkpoints() {
    let (adam, trainer, file) = checkpoint();
    // The network alone comes out of a checkpoint, and can be seen in it.
    let mut network = Net::<f32>::ZEROED;
    weights::read(&mut network, &file).unwrap();
    assert_eq!(network, trainer.network);
    let mut aligned = weights::Aligned([0; Run::<Adam>::CHECKPOINT_LENGTH]);
    aligned.0.copy_from_slice(&file);
    assert_eq!(*weights::view::<Net>(&aligned.0).unwrap(), network);
    // A network alone is no checkpoint.
    let mut bytes = [0; weights::length::<Net>()];
    weights::write(&network, &mut bytes).unwrap();
    assert_eq!(refused(&adam, &bytes).to_string(), "expected a checkpoint, found a network");
}

#[test]
fn what_no_checkpoint_can_hold() {
    let text = 64 + 4;
    assert!(changed(text, b"\x1b[2J").to_string().ends_with(r"found one of `\x1b[2J`"));
    // More numbers than there are addresses.
    assert!(matches!(changed(64 + 96, &[0xff; 8]), WeightsError::State { .. }));
    let (_, _, mut file) = checkpoint();
    file[64 + 96..][..8].fill(0xff);
    let error = weights::read(&mut Net::<f32>::new(1), &resealed(file)).unwrap_err();
    assert!(matches!(error, WeightsError::Length { expected: u64::MAX, .. }), "{error}");
    // The lowest loss is NaN, a hyper-parameter too many, what is reserved.
    let nan = f64::NAN.to_le_bytes();
    for (at, bytes) in [(64 + 112, &nan[..]), (64 + 120 + 8 * 15, &nan), (64 + 248, &[1])] {
        assert_eq!(changed(at, bytes), WeightsError::Reserved);
    }
    // Adam's second moment, of the first weight, and what fills up the end.
    let state = 320 + (4 * Net::<f32>::LEN).next_multiple_of(64);
    let gradient = <Net as Tensor>::Gradient::LEN;
    let error = changed(state + 4 * gradient, &f32::INFINITY.to_le_bytes());
    assert!(error.to_string().contains("hidden.weights`, element 0"), "{error}");
    let (_, _, file) = checkpoint();
    assert_eq!(changed(file.len() - 1, &[1]), WeightsError::Reserved);
}

#[test]
fn what_cannot_be_written() {
    let (adam, mut trainer, file) = checkpoint();
    let mut bytes = vec![7; file.len()];
    trainer.network.output.bias[1] = f32::NAN;
    assert!(matches!(trainer.write_checkpoint(&adam, &mut bytes), Err(WeightsError::NotFinite { element: 1, .. })));
    assert!(trainer.write_checkpoint(&adam, &mut bytes[1..]).is_err());
    assert!(bytes.iter().all(|byte| *byte == 7), "nothing was written");
    type Four<O> = ClipValue<ClipValue<ClipValue<ClipValue<O>>>>;
    fn four<O>(optimizer: O) -> Four<O> {
        let clip = ClipValue { optimizer, limit: 1.0 };
        let clip = ClipValue { optimizer: ClipValue { optimizer: clip, limit: 1.0 }, limit: 1.0 };
        ClipValue { optimizer: clip, limit: 1.0 }
    }
    let seventeen = four(four(four(four(Sgd::new(0.1).unwrap()))));
    type Many = Run<Four<Four<Four<Four<Sgd>>>>>;
    let mut bytes = vec![7; Many::CHECKPOINT_LENGTH];
    let error = Many::boxed().write_checkpoint(&seventeen, &mut bytes).unwrap_err();
    assert_eq!(error.to_string(), "expected at most 16 hyper-parameters, found 17");
    assert!(bytes.iter().all(|byte| *byte == 7), "nothing was written");
}
