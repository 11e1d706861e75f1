//! Our side of the exchange with PyTorch; `pytorch.py` is the other one.
//!
//! ```text
//! cargo run --release -- train FOLDER         # a network trained here: ours.safetensors
//! cargo run --release -- check FOLDER NAME    # FOLDER/NAME.safetensors here gives the outputs that it gave there
//! ```
//!
//! Beside each file lie 1,000 inputs and their outputs, `ours.inputs.npy` and so on.

use chainrule::weights::safetensors;
use chainrule::{Adam, MeanSquaredError, Random, Trainer, Zeroed};
use chainrule_exchange::{Controller, Result, predict, read_npy, worst_difference, write_npy};
use std::env;
use std::fs;
use std::path::Path;

/// `N` numbers in [−1, 1).
fn draw<const N: usize>(random: &mut Random) -> [f32; N] {
    [(); N].map(|()| (2.0 * random.uniform() - 1.0) as f32)
}

fn train(folder: &Path) -> Result<()> {
    let mut random = Random::new(1, 0);
    let inputs: Vec<[f32; 8]> = (0..4096).map(|_| draw(&mut random)).collect();
    let target = |x: &[f32; 8]| {
        let mean = x[3..].iter().sum::<f32>() / 5.0;
        [x[0] * x[1], (std::f32::consts::PI * x[2]).sin(), mean, x[4].abs()]
    };
    let targets: Vec<[f32; 4]> = inputs.iter().map(target).collect();

    let rule = Adam::new(3e-3)?;
    let mut trainer = Trainer::<Controller, Adam, 64>::boxed();
    trainer.init(1);
    let mut loss = 0.0;
    for _ in 0..5 {
        loss = trainer.epoch(&rule, &MeanSquaredError, &inputs, &targets)?;
    }
    println!("trained to a loss of {loss:.4}");

    let inputs: Vec<[f32; 8]> = (0..1000).map(|_| draw(&mut random)).collect();
    fs::create_dir_all(folder)?;
    fs::write(folder.join("ours.safetensors"), safetensors::write(&trainer.network)?)?;
    write_npy(&folder.join("ours.inputs.npy"), &inputs)?;
    write_npy(&folder.join("ours.outputs.npy"), &predict(&trainer.network, &inputs))
}

fn check(folder: &Path, name: &str) -> Result<()> {
    let path = folder.join(format!("{name}.safetensors"));
    let bytes = fs::read(&path)?;
    let (mut single, mut double) = (Controller::<f32>::ZEROED, Controller::<f64>::ZEROED);
    let in_file = |error| format!("{}: {error}", path.display());
    safetensors::read(&mut single, &bytes).map_err(in_file)?;
    safetensors::read(&mut double, &bytes).map_err(in_file)?;

    let stem = name.trim_end_matches(".double");
    let inputs = read_npy(&folder.join(format!("{stem}.inputs.npy")))?;
    let expected = read_npy(&folder.join(format!("{stem}.outputs.npy")))?;
    for (scalar, outputs) in [("f32", predict(&single, &inputs)), ("f64", predict(&double, &inputs))] {
        let worst = worst_difference(&outputs, &expected);
        println!("{name} in {scalar}, {} inputs: outputs differ by {worst:.2e} at most", inputs.len());
        if !(worst <= 1e-6 && inputs.len() == 1000) {
            return Err(format!("{}: expected outputs within 1e-6 for 1000 inputs", path.display()).into());
        }
    }
    Ok(())
}

fn main() -> Result<()> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["train", folder] => train(Path::new(folder)),
        ["check", folder, name] => check(Path::new(folder), name),
        _ => Err("expected `train FOLDER` or `check FOLDER NAME`".into()),
    }
}
