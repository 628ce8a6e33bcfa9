//! Photographs of the user's own.

use std::{
    fs,
    path::{Path, PathBuf},
};

use base64::{Engine, engine::general_purpose::STANDARD};

use super::Failure;

/// The pictures of a folder, by name.
pub fn of(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let mut pictures: Vec<PathBuf> = fs::read_dir(folder)
        .map_err(|err| format!("{}: {err}", folder.display()))?
        .collect::<Result<Vec<_>, _>>()?
        .into_iter()
        .map(|entry| entry.path())
        .filter(|path| {
            let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
            ["jpg", "jpeg", "png"].contains(&extension.to_ascii_lowercase().as_str())
        })
        .collect();
    pictures.sort();
    if pictures.is_empty() {
        return Err(format!("{}: no JPEG or PNG there", folder.display()).into());
    }
    Ok(pictures)
}

/// A picture's bytes as base64.
pub fn base64_of(path: &Path) -> Result<String, Failure> {
    Ok(STANDARD.encode(fs::read(path).map_err(|err| format!("{}: {err}", path.display()))?))
}
