use serde_json::json;
use shared::{
    domain::{
        advice::advise,
        position::Position,
        session::{EndReason, FrameNumber, Metadata, SessionStart, SessionType},
        shot::in_firing_order,
    },
    ids::{SessionId, UserId},
};
use uuid::Uuid;

use super::*;

fn page(equipment: &str, xy: &[(f64, f64)]) -> String {
    let target = TargetType::AirPistol10m;
    let at = |minute: i64| DateTime::from_timestamp(1_760_000_000 + 60 * minute, 0).unwrap();
    let start = SessionStart {
        user_id: UserId(Uuid::nil()),
        session_type: SessionType::Competition,
        metadata: Metadata::parse(&json!({ "target_type": target.name(), "equipment": equipment, "distance": 10 }))
            .unwrap(),
    };
    let session = Session::start(start, SessionId(Uuid::from_u128(7)), UserId(Uuid::nil()), at(0))
        .ended(EndReason::Timeout, at(30));
    let shot = |(frame, (x, y)): (u32, &(f64, f64))| {
        let frame = FrameNumber::try_from(frame).unwrap();
        Shot::scored(Uuid::nil(), Position::new(*x, *y), target.rings(), frame, 0.9, 4.5)
    };
    let shots = in_firing_order((1..).zip(xy).map(shot).collect());
    let statistics = Statistics::of(&shots, target.rings(), session.duration(at(30)));
    let advice = advise(&shots, target);
    render(&Report { session: &session, shots: &shots, statistics: &statistics, advice: &advice })
}

#[test]
fn the_users_own_words_cannot_become_part_of_the_page() {
    let page = page("<script>alert(1)</script> & \"x\" 'y' <img src=//evil>", &[]);
    assert!(!page.contains("<script") && !page.contains("<img"));
    assert!(page.contains("&lt;script&gt;alert(1)&lt;/script&gt; &amp; &quot;x&quot;"), "{page}");
}

#[test]
fn a_page_needs_nothing_but_itself() {
    let page = page("LP50", &[(1.0, 2.0), (-3.5, 0.0), (4.0, -4.0)]);
    for outside in ["<script", "<link", "<img", "src=", "href=", "url(", "@import"] {
        assert!(!page.contains(outside), "{outside}");
    }
    assert_eq!(page.matches("http").count(), 2, "the namespace of the plot and http-equiv");
    assert!(page.contains("width=device-width"));
}

#[test]
fn the_shot_table_names_frame_score_and_place() {
    let page = page("LP50", &[(-3.5, 0.04)]);
    let row = page.split("<tr>").find(|row| row.contains("−3.5")).unwrap();
    assert!(row.contains("<td>1</td><td>10.5</td><td>−3.5</td><td>0.0</td>"), "{row}");
}

#[test]
fn a_session_without_shots_has_a_page_without_figures() {
    let page = page("LP50", &[]);
    assert!(page.contains("<dt>Average</dt><dd>–</dd>"));
    assert!(!page.contains("<h2>Group</h2>") && !page.contains("<h2>Shots</h2>"));
    assert!(page.contains("No shots are too few for advice"));
    assert!(page.contains("competition · 10 m air pistol · timed out"));
}

#[test]
fn figures_stand_with_their_units_and_directions() {
    let page = page("LP50", &[(-6.0, 3.0), (-8.0, 3.0), (-7.0, 5.0), (-7.0, 1.0)]);
    for text in
        ["7.0 mm left", "3.0 mm high", "<dt>Distance</dt><dd>10 m</dd>", "<dt>In the black</dt><dd>100.0 %</dd>"]
    {
        assert!(page.contains(text), "{text}");
    }
}
