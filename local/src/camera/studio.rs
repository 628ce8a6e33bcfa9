//! The scenes in front of the camera, one for each session, and their frames.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hyper::body::Bytes;
use range_camera::{Backing, RenderedFrame, Scene, SceneSpec, Subject, TargetType};
use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;
use uuid::Uuid;

/// Rendered frames that are kept: a session's frames are asked for twice, by the proxy and by a test.
const KEPT_FRAMES: usize = 16;
/// A frame takes about 80 MB while it is rendered.
const RENDERED_AT_ONCE: usize = 2;
/// Frames after the last shot that show the same holes again.
const FRAMES_AFTER_LAST_SHOT: u32 = 2;

/// What a session's frames show.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SceneOrder {
    pub target_type: TargetType,
    /// By default from the camera's seed and the session's id.
    pub seed: Option<u64>,
    pub shots: usize,
    /// Indices of shots that are fired and never drawn.
    pub hidden_shots: Vec<usize>,
    /// How many of the shots lie in another one's hole.
    pub overlapping_pairs: usize,
    pub backing: Option<Backing>,
    pub tilt_deg: Option<f64>,
    pub width: u32,
    pub height: u32,
    pub subject: Subject,
    /// Whether the camera moves a little between frames.
    pub nudge: bool,
}

impl Default for SceneOrder {
    fn default() -> Self {
        let spec = SceneSpec::default();
        Self {
            target_type: TargetType::AirPistol10m,
            seed: None,
            shots: spec.shots,
            hidden_shots: Vec::new(),
            overlapping_pairs: 0,
            backing: None,
            tilt_deg: None,
            width: spec.width,
            height: spec.height,
            subject: spec.subject,
            nudge: true,
        }
    }
}

/// Why a scene can't be had.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field} must be {rule}")]
pub struct OrderError {
    field: &'static str,
    rule: &'static str,
}

/// Why a frame could not be made.
#[derive(Debug, thiserror::Error)]
#[error("the frame was not rendered: {0}")]
pub struct RenderError(String);

/// A shot as it was fired.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TrueShot {
    pub index: usize,
    pub x_mm: f64,
    pub y_mm: f64,
    pub diameter_mm: f64,
    /// By the ring table, 0.0 to 10.9.
    pub score: f64,
    /// Whether the camera shows it.
    pub visible: bool,
}

/// All that is true of a frame.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Truth {
    pub session_id: Uuid,
    pub frame_number: u32,
    pub target_type: TargetType,
    pub shots: Vec<TrueShot>,
}

#[derive(Debug)]
struct Stand {
    scene: Scene,
    nudge: bool,
}

#[derive(Debug)]
pub struct Studio {
    seed: u64,
    default: SceneOrder,
    stands: Mutex<HashMap<Uuid, Arc<Stand>>>,
    frames: Mutex<VecDeque<((Uuid, u32), Bytes)>>,
    renderers: Semaphore,
}

impl SceneOrder {
    fn check(&self) -> Result<(), OrderError> {
        let rules = [
            ("shots", "at most 30", self.shots <= 30),
            ("overlapping_pairs", "at most half the shots", 2 * self.overlapping_pairs <= self.shots),
            ("hidden_shots", "indices of shots", self.hidden_shots.iter().all(|&index| index < self.shots)),
            ("tilt_deg", "0 to 40", self.tilt_deg.is_none_or(|tilt| (0.0..=40.0).contains(&tilt))),
            ("width", "64 to 8192", (64..=8192).contains(&self.width)),
            ("height", "64 to 8192", (64..=8192).contains(&self.height)),
        ];
        match rules.into_iter().find(|(_, _, kept)| !kept) {
            Some((field, rule, _)) => Err(OrderError { field, rule }),
            None => Ok(()),
        }
    }

    fn stand(&self, seed: u64) -> Stand {
        let spec = SceneSpec {
            width: self.width,
            height: self.height,
            shots: self.shots,
            overlapping_pairs: self.overlapping_pairs,
            backing: self.backing,
            tilt_deg: self.tilt_deg,
            subject: self.subject,
        };
        let mut scene = Scene::random(self.target_type, self.seed.unwrap_or(seed), &spec);
        for &index in &self.hidden_shots {
            if let Some(shot) = scene.shots.get_mut(index) {
                shot.hidden = true;
            }
        }
        Stand { scene, nudge: self.nudge }
    }
}

impl Stand {
    /// How many shots were fired before a frame; `None` where there is no such frame.
    fn fired(&self, frame_number: u32) -> Option<usize> {
        let shots = self.scene.shots.len();
        let last = u32::try_from(shots).ok()? + FRAMES_AFTER_LAST_SHOT;
        let fired = usize::try_from(frame_number.checked_sub(1)?).ok()?;
        (frame_number <= last).then_some(fired.min(shots))
    }

    fn render(&self, frame_number: u32) -> Option<RenderedFrame> {
        let nudge = if self.nudge { u64::from(frame_number) } else { 0 };
        Some(self.scene.frame(self.fired(frame_number)?, nudge))
    }
}

impl Studio {
    pub fn new(seed: u64, default: SceneOrder) -> Self {
        Self {
            seed,
            default,
            stands: Mutex::default(),
            frames: Mutex::default(),
            renderers: Semaphore::new(RENDERED_AT_ONCE),
        }
    }

    pub fn set_scene(&self, session: Uuid, order: SceneOrder) -> Result<(), OrderError> {
        order.check()?;
        let stand = Arc::new(order.stand(self.seed_of(session)));
        lock(&self.stands).insert(session, stand);
        lock(&self.frames).retain(|((kept, _), _)| *kept != session);
        Ok(())
    }

    pub fn truth(&self, session: Uuid, frame_number: u32) -> Option<Truth> {
        let stand = self.stand(session);
        let rings = stand.scene.target.rings();
        let fired = stand.fired(frame_number)?;
        let shots = stand.scene.shots.iter().take(fired).enumerate().map(|(index, shot)| TrueShot {
            index,
            x_mm: shot.position.x_mm,
            y_mm: shot.position.y_mm,
            diameter_mm: shot.diameter_mm,
            score: rings.score(shot.position.radius_um()).as_f64(),
            visible: !shot.hidden,
        });
        Some(Truth { session_id: session, frame_number, target_type: stand.scene.target, shots: shots.collect() })
    }

    /// The frame's JPEG, from the last ones that were rendered or anew.
    pub async fn frame(&self, session: Uuid, frame_number: u32) -> Result<Option<Bytes>, RenderError> {
        let key = (session, frame_number);
        if let Some(kept) = self.kept(key) {
            return Ok(Some(kept));
        }
        let Some(bytes) = self.render(session, frame_number, RenderedFrame::jpeg).await? else { return Ok(None) };
        let mut frames = lock(&self.frames);
        frames.push_back((key, bytes.clone()));
        if frames.len() > KEPT_FRAMES {
            frames.pop_front();
        }
        Ok(Some(bytes))
    }

    pub async fn png(&self, session: Uuid, frame_number: u32) -> Result<Option<Bytes>, RenderError> {
        self.render(session, frame_number, RenderedFrame::png).await
    }

    async fn render<E>(
        &self,
        session: Uuid,
        frame_number: u32,
        encode: fn(&RenderedFrame) -> Result<Vec<u8>, E>,
    ) -> Result<Option<Bytes>, RenderError>
    where
        E: std::fmt::Display + Send + 'static,
    {
        let stand = self.stand(session);
        let _turn = self.renderers.acquire().await.map_err(|err| RenderError(err.to_string()))?;
        let rendered = tokio::task::spawn_blocking(move || {
            stand.render(frame_number).map(|frame| encode(&frame).map_err(|err| RenderError(err.to_string())))
        });
        let bytes = rendered.await.map_err(|err| RenderError(err.to_string()))?.transpose()?;
        Ok(bytes.map(Bytes::from))
    }

    fn kept(&self, key: (Uuid, u32)) -> Option<Bytes> {
        lock(&self.frames).iter().find(|(kept, _)| *kept == key).map(|(_, bytes)| bytes.clone())
    }

    fn stand(&self, session: Uuid) -> Arc<Stand> {
        let mut stands = lock(&self.stands);
        Arc::clone(stands.entry(session).or_insert_with(|| Arc::new(self.default.stand(self.seed_of(session)))))
    }

    fn seed_of(&self, session: Uuid) -> u64 {
        let (high, low) = session.as_u64_pair();
        self.seed ^ high ^ low.rotate_left(32)
    }
}

/// A poisoned lock guards values that are whole at any time.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
