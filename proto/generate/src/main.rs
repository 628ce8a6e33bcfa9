//! Writes `src/generated.rs` out of `prediction.proto`:
//!
//! ```sh
//! cargo run --manifest-path proto/generate/Cargo.toml
//! ```
//!
//! Below its first two lines the file is what tonic-prost-build made. They hold the digests of the protocol and of the
//! code, by which a test of the `prediction` crate sees that the two belong together.

use std::{error::Error, fs, path::Path};

use sha2::{Digest, Sha256};

fn main() -> Result<(), Box<dyn Error>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let protocol = root.join("prediction.proto");
    let scratch = root.join("generate/target/generated");
    fs::create_dir_all(&scratch)?;
    // protox instead of protoc: a Rust toolchain has to do.
    let descriptors = protox::compile([&protocol], [&root])?;
    tonic_prost_build::configure().out_dir(&scratch).compile_fds(descriptors)?;
    let code = fs::read_to_string(scratch.join("prediction.rs"))?;
    let digests =
        format!("// prediction.proto {}\n// code {}\n", digest(&fs::read(protocol)?), digest(code.as_bytes()));
    fs::write(root.join("src/generated.rs"), digests + &code)?;
    Ok(())
}

fn digest(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}
