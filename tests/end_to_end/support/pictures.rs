//! Pictures to send: rendered once for all tests, and such that no camera would take.

use std::{collections::HashMap, io::Cursor, sync::LazyLock};

use image::{DynamicImage, ImageFormat, codecs::jpeg::JpegEncoder, imageops};
use local::camera::{Backing, SceneOrder, Subject, TrueShot};
use tokio::sync::Mutex;
use uuid::Uuid;

use super::{scene, stack};

/// Shots of [`picture`]'s scene.
pub const SHOTS: usize = 10;
/// Frames of [`picture`]'s scene: one without a hole, one a shot, one more at the end.
pub const FRAMES: u32 = 12;
/// A scene on whose frames the built-in detector finds every hole and nothing else.
const SEED: u64 = 23;

/// Frames by scene and number.
type Rendered = HashMap<(Uuid, u32), Vec<u8>>;

const MAIN: Uuid = Uuid::from_u128(1);
const ANOTHER: Uuid = Uuid::from_u128(2);
const WALL: Uuid = Uuid::from_u128(3);

/// The order of the scene that all tests share, for a session of one's own.
pub fn order() -> SceneOrder {
    SceneOrder {
        shots: SHOTS,
        seed: Some(SEED),
        backing: Some(Backing::Dark),
        tilt_deg: Some(5.0),
        ..SceneOrder::default()
    }
}

/// Frame `number` of the air pistol target that all tests share: it shows the first `number - 1` shots.
pub async fn picture(number: u32) -> Vec<u8> {
    rendered(MAIN, number, order()).await
}

/// All shots of [`picture`]'s scene as they were fired.
pub async fn truth() -> Vec<TrueShot> {
    picture(FRAMES).await;
    stack().await.camera().unwrap().truth(MAIN, FRAMES).unwrap()
}

/// Another target of the same type, with shots elsewhere.
pub async fn another_target() -> Vec<u8> {
    let order = SceneOrder { seed: Some(SEED + 1), ..order() };
    rendered(ANOTHER, FRAMES, order).await
}

/// A wall without any target.
pub async fn wall() -> Vec<u8> {
    rendered(WALL, 1, SceneOrder { subject: Subject::Wall, width: 960, height: 540, ..order() }).await
}

async fn rendered(session: Uuid, number: u32, order: SceneOrder) -> Vec<u8> {
    static RENDERED: LazyLock<Mutex<Rendered>> = LazyLock::new(Mutex::default);
    let stack = stack().await;
    let mut rendered = RENDERED.lock().await;
    if let Some(known) = rendered.get(&(session, number)) {
        return known.clone();
    }
    scene(stack, session, order);
    let bytes = super::frame(stack, session, number).await;
    rendered.insert((session, number), bytes.clone());
    bytes
}

/// The picture as a PNG of half the size.
pub fn as_png(jpeg: &[u8]) -> Vec<u8> {
    let picture = image::load_from_memory(jpeg).unwrap();
    let (width, height) = (picture.width() / 2, picture.height() / 2);
    encoded(&picture.resize_exact(width, height, imageops::FilterType::Triangle), ImageFormat::Png)
}

/// The picture as a camera stores it that was held on its side: its pixels a quarter to the left, and an EXIF block
/// (orientation 6) that says to turn them back.
pub fn held_on_its_side(jpeg: &[u8]) -> Vec<u8> {
    // Big endian TIFF header, one directory entry: tag 0x0112 (orientation), type SHORT, count 1, value 6; no next one.
    const EXIF: &[u8] = b"Exif\0\0MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0";
    let mut turned = Vec::new();
    let pixels = image::load_from_memory(jpeg).unwrap().rotate270();
    JpegEncoder::new_with_quality(&mut turned, 95).encode_image(&pixels).unwrap();
    let length = u16::try_from(EXIF.len() + 2).unwrap().to_be_bytes();
    // Right behind the start of image.
    turned.splice(2..2, [&[0xFF, 0xE1], &length[..], EXIF].concat());
    turned
}

/// A PNG of a few bytes that says it has this many pixels.
pub fn bomb(width: u32, height: u32) -> Vec<u8> {
    let mut png = encoded(&DynamicImage::new_rgb8(1, 1), ImageFormat::Png);
    // Eight bytes of signature, length and name of IHDR, its thirteen bytes, its checksum.
    png[16..20].copy_from_slice(&width.to_be_bytes());
    png[20..24].copy_from_slice(&height.to_be_bytes());
    let checksum = crc32(&png[12..29]);
    png[29..33].copy_from_slice(&checksum.to_be_bytes());
    png
}

fn encoded(picture: &DynamicImage, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    picture.write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

/// PNG's checksum (ISO 3309).
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |sum, byte| {
        (0..8).fold(sum ^ u32::from(*byte), |sum, _| if sum & 1 == 1 { (sum >> 1) ^ 0xEDB8_8320 } else { sum >> 1 })
    })
}
