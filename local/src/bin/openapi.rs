//! `cargo openapi`: writes what the functions say of their routes to `docs/openapi.json`.

use std::{error::Error, path::Path};

use local::openapi;

fn main() -> Result<(), Box<dyn Error>> {
    let path = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/..")).join(openapi::FILE);
    std::fs::write(&path, openapi::text(&openapi::document()?)?)?;
    println!("{} is written", openapi::FILE);
    Ok(())
}
