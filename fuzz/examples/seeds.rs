//! Writes the first inputs of each target into its folder of the corpus.

use chainrule::{Parameters, Zeroed, weights};
use chainrule_fuzz::{Net, Run, rule};
use std::fs;
use std::path::Path;

fn main() -> std::io::Result<()> {
    let mut network = vec![0; weights::length::<Net>()];
    weights::write(&Net::<f32>::new(1), &mut network).expect("a network that is finite");
    let mut checkpoint = vec![0; Run::CHECKPOINT_LENGTH];
    let mut trainer = Run::boxed();
    trainer.init(1);
    trainer.write_checkpoint(&rule(), &mut checkpoint).expect("a trainer that is finite");

    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
    let erased = vec![0xff; 128];
    for (target, seeds) in [
        ("header", vec![("network", &network), ("erased", &erased)]),
        ("network", vec![("network", &network), ("checkpoint", &checkpoint), ("erased", &erased)]),
        ("view", vec![("network", &network), ("checkpoint", &checkpoint)]),
        ("checkpoint", vec![("checkpoint", &checkpoint), ("network", &network)]),
    ] {
        fs::create_dir_all(corpus.join(target))?;
        for (name, bytes) in seeds {
            fs::write(corpus.join(target).join(name), bytes)?;
        }
    }
    Ok(())
}
