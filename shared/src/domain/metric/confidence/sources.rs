//! How far a value is to be trusted for where it comes from.

use crate::domain::metric::UploadType;

/// Makers of sensors that studies have held against polysomnography, an electrocardiogram or counted steps, and found
/// close at rest and over whole days (Miller et al., Sensors 2022, 6317: six wearables in the sleep laboratory; Fuller
/// et al., JMIR mHealth and uHealth 2020, e18694: a review of steps and heart rate).
const STUDIED: f64 = 0.97;
/// Makers of sensors of the same kind, of which there is less to read.
const MAKER: f64 = 0.94;
/// They collect what others measured; which device it was is not known.
const COLLECTOR: f64 = 0.90;
/// Nobody that we know: as likely a device as a person who types.
const UNKNOWN: f64 = 0.70;

/// What a person entered. People remember round and flattering numbers (self-reported sleep and activity are off by
/// half an hour and more: Lauderdale et al., Epidemiology 2008), and no payload can show it.
const MANUAL: f64 = 0.10;

/// The prior, 0 to 1.
pub(super) fn prior(provider: &str, upload_type: UploadType) -> f64 {
    let provider = match provider {
        "APPLE" | "FITBIT" | "GARMIN" | "OURA" | "POLAR" | "SAMSUNG" | "WHOOP" | "WITHINGS" => STUDIED,
        "BIOSTRAP" | "COROS" | "EIGHT" | "HUAWEI" | "OMRON" | "RENPHO" | "SUUNTO" | "ULTRAHUMAN" | "WAHOO"
        | "XIAOMI" => MAKER,
        "GOOGLE" | "GOOGLEFIT" | "HEALTH_CONNECT" | "PELOTON" | "STRAVA" | "TRAININGPEAKS" | "ZWIFT" => COLLECTOR,
        _ => UNKNOWN,
    };
    match upload_type {
        // Whoever passes it on.
        UploadType::Manual => MANUAL,
        // A device's own; an update is the device's word on what it sent before.
        UploadType::Automatic | UploadType::Update => provider,
        // Most providers don't say, and send nothing but what devices recorded.
        UploadType::Unknown => 0.95 * provider,
        // Through another app, which may have changed it.
        UploadType::External | UploadType::ThirdParty => 0.85 * provider,
        // The device's, but not its last word.
        UploadType::Pending => 0.80 * provider,
    }
}
