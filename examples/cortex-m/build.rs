//! Unpacks the digits, one byte a number, so that they lie in flash, and tells the linker where the memory is.

use flate2::read::GzDecoder;
use std::error::Error;
use std::fs::{self, File};
use std::io::Read;
use std::path::PathBuf;

const DIGITS: &str = "../data/digits.csv.gz";

fn main() -> Result<(), Box<dyn Error>> {
    let out = PathBuf::from(std::env::var("OUT_DIR")?);
    let mut text = String::new();
    GzDecoder::new(File::open(DIGITS)?).read_to_string(&mut text)?;
    let digits = text.lines().flat_map(|line| line.split(',')).map(str::parse).collect::<Result<Vec<u8>, _>>()?;
    fs::write(out.join("digits.bin"), digits)?;
    let rivals = std::env::var_os("RIVALS");
    let memory = match std::env::var("TARGET")? {
        target if target.starts_with("thumbv8m") => "mps2-an505.x",
        _ if rivals.is_some() => "mps2-large.x",
        _ => "mps2.x",
    };
    let memory = PathBuf::from("boards").join(memory);
    fs::copy(&memory, out.join("memory.x"))?;
    println!("cargo:rustc-link-search={}", out.display());
    // What ./instructions.sh made of the C in rivals/.
    if let Some(archive) = rivals {
        println!("cargo:rustc-link-arg-bin=instructions={}", archive.display());
    }
    println!("cargo:rerun-if-env-changed=RIVALS");
    println!("cargo:rerun-if-changed={DIGITS}");
    println!("cargo:rerun-if-changed={}", memory.display());
    Ok(())
}
