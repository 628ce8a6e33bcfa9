//! The committed code against the protocol that it was made of, by the digests that the generator wrote above it: to
//! generate it anew would have every build compile a protobuf compiler, for a minute.

use aws_lc_rs::digest::{SHA256, digest};

#[test]
fn the_code_is_what_the_generator_made_of_this_protocol() {
    let generated = include_str!("../src/generated.rs");
    let (protocol, rest) = generated.split_once('\n').unwrap();
    let (code, made) = rest.split_once('\n').unwrap();
    let again = "cargo run --manifest-path proto/generate/Cargo.toml";
    assert_eq!(protocol, format!("// prediction.proto {}", hex(include_bytes!("../prediction.proto"))), "{again}");
    assert_eq!(code, format!("// code {}", hex(made.as_bytes())), "{again}");
}

fn hex(bytes: &[u8]) -> String {
    digest(&SHA256, bytes).as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}
