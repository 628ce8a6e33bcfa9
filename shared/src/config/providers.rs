//! Who is asked outside: the camera, the detectors, the models, and Terra's storage.

#[derive(Debug, Clone)]
pub struct CameraConfig {
    pub url: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CameraFallback {
    None,
    TestFrame,
}

#[derive(Debug, Clone)]
pub struct RoboflowConfig {
    pub url: String,
    /// `project/version`
    pub model: String,
    pub shot_classes: Vec<String>,
    pub target_classes: Vec<String>,
}

/// Where large deliveries may be fetched from.
#[derive(Debug, Clone, Default)]
pub struct TerraConfig {
    /// `host` or `host:port`, exactly as in the URL, or `*.domain` for every host below it.
    pub payload_hosts: Vec<String>,
}

pub(super) fn camera(get: &impl Fn(&str) -> Option<String>, faults: &mut Vec<String>) -> Option<CameraConfig> {
    let url = get("CAMERA_API_URL")?;
    if let Some(fault) = insecure(&url) {
        faults.push(format!("CAMERA_API_URL {fault}"));
    }
    Some(CameraConfig { url: url.trim_end_matches('/').into() })
}

pub(super) fn camera_fallback(get: &impl Fn(&str) -> Option<String>, faults: &mut Vec<String>) -> CameraFallback {
    match get("CAMERA_FALLBACK").as_deref() {
        None | Some("none") => CameraFallback::None,
        Some("test-frame") => CameraFallback::TestFrame,
        Some(_) => {
            faults.push("CAMERA_FALLBACK must be none or test-frame".into());
            CameraFallback::None
        }
    }
}

pub(super) fn roboflow(get: &impl Fn(&str) -> Option<String>, faults: &mut Vec<String>) -> Option<RoboflowConfig> {
    let model = get("ROBOFLOW_MODEL")?;
    let url = get("ROBOFLOW_URL").unwrap_or_else(|| "https://detect.roboflow.com".into());
    if let Some(fault) = insecure(&url) {
        faults.push(format!("ROBOFLOW_URL {fault}"));
    }
    let list = |name: &str, default: &str| -> Vec<String> {
        let text = get(name).unwrap_or_else(|| default.into());
        text.split(',').map(|class| class.trim().to_lowercase()).filter(|class| !class.is_empty()).collect()
    };
    Some(RoboflowConfig {
        url: url.trim_end_matches('/').into(),
        model: model.trim_matches('/').into(),
        shot_classes: list("ROBOFLOW_SHOT_CLASSES", "shot,hole,bullet,bullet_hole"),
        target_classes: list("ROBOFLOW_TARGET_CLASSES", "target,bullseye"),
    })
}

/// gRPC knows no paths but its services'.
pub(super) fn ml_service_url(get: &impl Fn(&str) -> Option<String>, faults: &mut Vec<String>) -> Option<String> {
    let url = get("ML_SERVICE_URL")?;
    let has_path = || reqwest::Url::parse(&url).is_ok_and(|url| url.path() != "/" || url.query().is_some());
    let fault = insecure(&url).or_else(|| has_path().then_some("must have no path and no query"));
    if let Some(fault) = fault {
        faults.push(format!("ML_SERVICE_URL {fault}"));
    }
    Some(url.trim_end_matches('/').into())
}

/// Why a URL may not carry keys or pictures: plain HTTP is for the same machine only.
pub(super) fn insecure(url: &str) -> Option<&'static str> {
    let Ok(url) = reqwest::Url::parse(url) else { return Some("is not a URL") };
    match (url.scheme(), url.host_str()) {
        ("https", Some(_)) | ("http", Some("127.0.0.1" | "localhost" | "[::1]")) => None,
        ("http", Some(_)) => Some("must use https (plain http is for loopback only)"),
        _ => Some("must be an https URL"),
    }
}

pub(super) fn terra(get: &impl Fn(&str) -> Option<String>) -> TerraConfig {
    let hosts = get("TERRA_PAYLOAD_HOSTS").unwrap_or_default();
    TerraConfig {
        payload_hosts: hosts
            .split(',')
            .map(|host| host.trim().to_lowercase())
            .filter(|host| !host.is_empty())
            .collect(),
    }
}
