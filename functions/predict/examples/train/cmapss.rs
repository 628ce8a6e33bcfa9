//! C-MAPSS's files: NASA's own text of 26 columns without a header, or CSV whose header names the columns.

use std::error::Error;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use flate2::read::GzDecoder;
use shared::domain::engine::{Reading, SENSORS, SETTINGS};

/// A file's engines, each with its unit number and its readings until failure.
pub type Units = Vec<(u32, Vec<Reading>)>;

/// Reads the training file of a subset (1 to 4).
pub fn read(folder: &Path, subset: usize) -> Result<Units, Box<dyn Error>> {
    let path = find(folder, subset)?;
    let bytes = fs::read(&path)?;
    let mut text = String::new();
    if path.extension().is_some_and(|extension| extension == "gz") {
        GzDecoder::new(bytes.as_slice()).read_to_string(&mut text)?;
    } else {
        text = String::from_utf8(bytes)?;
    }
    parse(&text).map_err(|fault| format!("{}: {fault}", path.display()).into())
}

fn find(folder: &Path, subset: usize) -> Result<PathBuf, Box<dyn Error>> {
    let names = ["txt", "csv", "txt.gz", "csv.gz"].map(|ending| format!("train_FD00{subset}.{ending}"));
    let found = names.iter().map(|name| folder.join(name)).find(|path| path.exists());
    found.ok_or_else(|| format!("{} holds no train_FD00{subset}.txt or .csv", folder.display()).into())
}

fn parse(text: &str) -> Result<Units, Box<dyn Error>> {
    let header = text.lines().next().filter(|line| line.contains("cycle"));
    let names: Vec<String> =
        header.map_or_else(columns_of_nasa, |line| line.split(',').map(|name| name.trim().to_owned()).collect());
    let place =
        |name: &str| names.iter().position(|column| column == name).ok_or_else(|| format!("there is no column {name}"));
    let (unit, cycle) = (place("unit")?, place("cycle")?);
    let settings = SETTINGS.iter().map(|name| place(name)).collect::<Result<Vec<_>, _>>()?;
    let sensors = SENSORS.iter().map(|name| place(name)).collect::<Result<Vec<_>, _>>()?;
    let mut units: Units = Vec::new();
    for (number, line) in text.lines().enumerate().skip(usize::from(header.is_some())) {
        let fields: Vec<&str> = line.split([',', ' ', '\t']).filter(|field| !field.is_empty()).collect();
        if fields.is_empty() {
            continue;
        }
        let field = |place: usize| fields.get(place).ok_or_else(|| format!("line {}: a column is missing", number + 1));
        let mut reading = Reading { cycle: field(cycle)?.parse()?, settings: [0.0; 3], sensors: [0.0; 14] };
        for (value, place) in reading.settings.iter_mut().zip(&settings) {
            *value = field(*place)?.parse()?;
        }
        for (value, place) in reading.sensors.iter_mut().zip(&sensors) {
            *value = field(*place)?.parse()?;
        }
        let unit: u32 = field(unit)?.parse()?;
        match units.last_mut() {
            Some((last, readings)) if *last == unit => readings.push(reading),
            _ => units.push((unit, vec![reading])),
        }
    }
    Ok(units)
}

fn columns_of_nasa() -> Vec<String> {
    let mut names: Vec<String> = ["unit", "cycle", "os1", "os2", "os3"].map(str::to_owned).into();
    names.extend((1..=21).map(|number| format!("s{number}")));
    names
}
