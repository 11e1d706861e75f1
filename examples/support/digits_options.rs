//! The command line of the example `digits`.

use clap::{Arg, Command, value_parser};
use std::path::PathBuf;

/// What can be chosen.
pub struct Options {
    /// Passes over the training part.
    pub epochs: u64,
    /// Decides the split, the weights and every order.
    pub seed: u64,
    /// The learning rate of the first epoch.
    pub learning_rate: f64,
    /// Where the pictures go.
    pub out: PathBuf,
    /// Repeat for the seeds below this one.
    pub seeds: Option<u64>,
    /// Where checkpoints go.
    pub save: Option<PathBuf>,
    /// The checkpoint to go on from.
    pub resume: Option<PathBuf>,
}

impl Options {
    /// The file of checkpoints, new or old.
    pub fn model(&self) -> Option<&PathBuf> {
        self.save.as_ref().or(self.resume.as_ref())
    }
}

/// The options of this run; leaves the program with a message when they make no sense.
pub fn parse() -> Options {
    options(command().get_matches())
}

fn command() -> Command {
    Command::new("digits")
        .about("Learns to read handwritten digits, and draws the loss curve and the misread digits")
        .arg(
            Arg::new("epochs")
                .long("epochs")
                .value_name("N")
                .default_value("100")
                .value_parser(value_parser!(u64).range(1..))
                .help("Passes over the training part"),
        )
        .arg(
            Arg::new("seed")
                .long("seed")
                .value_name("SEED")
                .default_value("0")
                .value_parser(value_parser!(u64))
                .help("Decides the split, the weights and every order"),
        )
        .arg(
            Arg::new("learning-rate")
                .long("learning-rate")
                .value_name("RATE")
                .default_value("0.01")
                .allow_negative_numbers(true)
                .value_parser(value_parser!(f64))
                .help("The learning rate of the first epoch; it falls to zero"),
        )
        .arg(
            Arg::new("out")
                .long("out")
                .value_name("FOLDER")
                .default_value("out")
                .value_parser(value_parser!(PathBuf))
                .help("Where the pictures go"),
        )
        .arg(
            Arg::new("seeds")
                .long("seeds")
                .value_name("N")
                .conflicts_with("seed")
                .value_parser(value_parser!(u64).range(1..))
                .help("Repeats for the seeds 0 to N - 1 and prints the median test accuracy"),
        )
        .arg(
            Arg::new("save")
                .long("save")
                .value_name("MODEL")
                .conflicts_with_all(["seeds", "resume"])
                .value_parser(value_parser!(PathBuf))
                .help("Saves a checkpoint after every epoch, and beside it the best weights"),
        )
        .arg(
            Arg::new("resume")
                .long("resume")
                .value_name("MODEL")
                .conflicts_with_all(["seeds", "seed"])
                .value_parser(value_parser!(PathBuf))
                .help("Goes on from a checkpoint, and saves to it; with the options of its run to the same bits"),
        )
}

fn options(matches: clap::ArgMatches) -> Options {
    fn get<T: Clone + Send + Sync + 'static>(matches: &clap::ArgMatches, name: &str) -> T {
        matches.get_one::<T>(name).expect("the option has a default").clone()
    }
    Options {
        epochs: get(&matches, "epochs"),
        seed: get(&matches, "seed"),
        learning_rate: get(&matches, "learning-rate"),
        out: get(&matches, "out"),
        seeds: matches.get_one("seeds").copied(),
        save: matches.get_one("save").cloned(),
        resume: matches.get_one("resume").cloned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(arguments: &[&str]) -> Result<Options, String> {
        let arguments = ["digits"].iter().chain(arguments);
        command().try_get_matches_from(arguments).map(options).map_err(|error| error.to_string())
    }

    #[test]
    fn the_command_is_consistent() {
        command().debug_assert();
    }

    #[test]
    fn every_option_arrives() {
        let options = parse(&["--epochs", "7", "--seed", "8", "--learning-rate", "0.5", "--out", "there"]).unwrap();
        assert_eq!((options.epochs, options.seed, options.learning_rate), (7, 8, 0.5));
        assert_eq!((options.out, options.seeds), (PathBuf::from("there"), None));
        assert_eq!(parse(&["--seeds", "20"]).unwrap().seeds, Some(20));
        for option in ["--save", "--resume"] {
            assert_eq!(parse(&[option, "model.crn"]).unwrap().model(), Some(&PathBuf::from("model.crn")));
        }
    }

    #[test]
    fn what_makes_no_sense_is_an_error_that_names_the_option() {
        let cases: [(&[&str], &str); 8] = [
            (&["--epochs", "0"], "--epochs"),
            (&["--epochs", "many"], "--epochs"),
            (&["--seed", "-1"], "-1"),
            (&["--learning-rate", "fast"], "--learning-rate"),
            (&["--seeds", "0"], "--seeds"),
            (&["--seeds", "2", "--seed", "1"], "--seed"),
            (&["--resume", "a", "--seed", "1"], "--seed"),
            (&["--save", "a", "--seeds", "2"], "--seeds"),
        ];
        for (arguments, name) in cases {
            let error = parse(arguments).map(|_| ()).unwrap_err();
            assert!(error.starts_with("error: ") && error.contains(name), "{arguments:?}: {error}");
        }
    }
}
