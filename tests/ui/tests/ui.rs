//! Every misuse that the types exclude, with the message that a user reads, each beside a case that compiles.
//!
//! `TRYBUILD=overwrite cargo test` writes the messages anew: read them as a user would before committing them.
//! They are those of the stable compiler of the day, without the component `rust-src`, which would quote the standard library.

#[test]
fn messages() {
    let cases = trybuild::TestCases::new();
    // A case that passes also makes trybuild build instead of check, so that constant assertions are evaluated.
    cases.pass("pass/*.rs");
    cases.compile_fail("fail/*.rs");
}
