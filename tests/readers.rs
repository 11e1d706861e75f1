//! Runs the tests of what the examples share: readers, splits and options.
#![allow(dead_code, reason = "each example uses its part")]

#[path = "../examples/support"]
mod support {
    mod augment;
    mod csv_file;
    mod digits_options;
    mod idx_file;
    mod read_error;
    mod samples;
    mod split;
}
