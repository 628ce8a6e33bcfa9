use proptest::prelude::*;

use super::*;

const BODY: &[u8] = br#"{"type":"daily","user":{"user_id":"u1"},"data":[]}"#;
const T: i64 = 1_764_000_000;
// printf '1764000000.{"type":"daily",…}' | openssl dgst -sha256 -hmac whsec_one
const ONE: &str = "2d4ee8bc2041f46ab032c5a02c7e31206afe3168df2874cfaac0a580f4d32179";
/// With `whsec_two`.
const TWO: &str = "ed6325fc5b22560c64b32e2c27ccef4fa1af93d1d17c0318006f8465a5c47ff2";
/// With `whsec_one` over `01764000000.` and the body.
const ONE_WITH_ZERO: &str = "540fb4895b717a5bb7bb3e1d2e4c079a78bc54e07ce3490a1a5155c2921efa01";
/// With `whsec_one` over bytes that are no text: 00 FF, then ` not JSON`.
const ONE_OVER_BYTES: &str = "513de42a94df3dcabfad3418b729837e3cc2ae7a5a5f76cc49095f2fc5751f72";

fn secrets() -> Vec<Secret> {
    ["whsec_one", "whsec_two"].map(Secret::new).into()
}

fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(seconds, 0).unwrap()
}

fn verified(values: &[&str]) -> Result<(), Refusal> {
    verify(values.iter().copied().map(Some), BODY, &secrets(), at(T))
}

#[test]
fn a_signature_of_any_of_our_secrets_is_good_whatever_stands_beside_it() {
    let wrong = "0".repeat(64);
    for header in [
        format!("t={T},v1={ONE}"),
        format!("t={T},v1={TWO}"),
        format!("v1={ONE},t={T}"),
        format!("t={T}, v1={ONE}"),
        format!("t={T},v1={}", ONE.to_uppercase()),
        format!("t={T},v1={wrong},v1={ONE}"),
        format!("t={T},v1={ONE},v1={wrong}"),
        format!("t={T},v1=short,v1=,v1=ü,v1={ONE}"),
        format!("v0=x,t={T},v2={wrong},v1={ONE},nothing,,=,"),
        format!("t=0{T},v1={ONE_WITH_ZERO}"),
    ] {
        assert_eq!(verified(&[&header]), Ok(()), "{header}");
    }
    let header = format!("t={T},v1={ONE_OVER_BYTES}");
    assert_eq!(verify([Some(header.as_str())], b"\x00\xff not JSON", &secrets(), at(T)), Ok(()));
}

#[test]
fn each_way_of_being_wrong_has_its_name() {
    let longer = format!("{ONE}00");
    for (header, refusal) in [
        (String::new(), Refusal::Malformed),
        (format!("v1={ONE}"), Refusal::Malformed),
        (format!("t=,v1={ONE}"), Refusal::Malformed),
        (format!("t={T}"), Refusal::Malformed),
        (format!("t={T},v2={ONE}"), Refusal::Malformed),
        (format!("t={T},t={T},v1={ONE}"), Refusal::Malformed),
        (format!("t=now,v1={ONE}"), Refusal::Malformed),
        (format!("t=+{T},v1={ONE}"), Refusal::Malformed),
        (format!("t=-{T},v1={ONE}"), Refusal::Malformed),
        (format!("t={T}.0,v1={ONE}"), Refusal::Malformed),
        (format!("t=99999999999999999999,v1={ONE}"), Refusal::Malformed),
        (format!("t=9999999999999999,v1={ONE}"), Refusal::Malformed),
        (format!("t={T}000,v1={ONE}"), Refusal::Stale),
        ("t=0,v1=".to_owned(), Refusal::Stale),
        (format!("t={T},v1="), Refusal::Mismatch),
        (format!("t={T},v1=not hex"), Refusal::Mismatch),
        (format!("t={T},v1={}", &ONE[..63]), Refusal::Mismatch),
        (format!("t={T},v1={}", &ONE[..62]), Refusal::Mismatch),
        (format!("t={T},v1={longer}"), Refusal::Mismatch),
        (format!("t={T},v1={}", ONE.replace('2', "3")), Refusal::Mismatch),
        (format!("t={},v1={ONE}", T + 1), Refusal::Mismatch),
    ] {
        assert_eq!(verified(&[&header]), Err(refusal), "{header}");
    }
    assert_eq!(verified(&[]), Err(Refusal::Missing));
    assert_eq!(verify([None], BODY, &secrets(), at(T)), Err(Refusal::Malformed));
}

#[test]
fn of_two_headers_either_may_be_the_good_one() {
    let (good, wrong) = (format!("t={T},v1={ONE}"), format!("t={T},v1={}", "0".repeat(64)));
    assert_eq!(verified(&[&good, &wrong]), Ok(()));
    assert_eq!(verified(&[&wrong, &good]), Ok(()));
    assert_eq!(verified(&["", &wrong]), Err(Refusal::Mismatch));
    assert_eq!(verified(&[&wrong, ""]), Err(Refusal::Mismatch));
}

#[test]
fn a_signature_is_good_for_five_minutes_either_way() {
    let header = format!("t={T},v1={ONE}");
    for (off, expected) in
        [(-301, Err(Refusal::Stale)), (-300, Ok(())), (0, Ok(())), (300, Ok(())), (301, Err(Refusal::Stale))]
    {
        assert_eq!(verify([Some(header.as_str())], BODY, &secrets(), at(T + off)), expected, "{off} s");
    }
}

#[test]
fn without_a_secret_nothing_verifies() {
    let header = format!("t={T},v1={ONE}");
    assert_eq!(verify([Some(header.as_str())], BODY, &[], at(T)), Err(Refusal::Mismatch));
}

proptest! {
    #[test]
    fn a_body_that_changed_does_not_verify(place in 0..BODY.len(), by in 1u8..=255) {
        let mut body = BODY.to_vec();
        body[place] ^= by;
        let header = format!("t={T},v1={ONE}");
        prop_assert_eq!(verify([Some(header.as_str())], &body, &secrets(), at(T)), Err(Refusal::Mismatch));
    }

    #[test]
    fn a_tag_that_changed_does_not_verify(place in 0..ONE.len(), digit in "[0-9a-f]") {
        let mut tag = ONE.to_owned();
        tag.replace_range(place..=place, &digit);
        prop_assume!(tag != ONE);
        prop_assert_eq!(verified(&[&format!("t={T},v1={tag}")]), Err(Refusal::Mismatch));
    }

    #[test]
    fn no_header_verifies_by_chance_or_does_harm(header in r"(t=[0-9]{0,12}|v1=[0-9a-f]{0,70}|[ -~]{0,8}|,|=|\PC{0,4}){0,12}") {
        prop_assert!(verified(&[&header]).is_err());
    }
}
