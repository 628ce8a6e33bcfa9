use shared::domain::session::FrameNumber;
use uuid::Uuid;

use super::*;

fn shots(target: TargetType, xy: &[(f64, f64)]) -> Vec<Shot> {
    let shot = |(x, y): &(f64, f64)| {
        Shot::scored(Uuid::nil(), Position::new(*x, *y), target.rings(), FrameNumber::MIN, 0.9, 4.5)
    };
    xy.iter().map(shot).collect()
}

fn spiral(count: u8) -> Vec<(f64, f64)> {
    (0..count).map(f64::from).map(|i| (0.7 * i * i.cos(), 0.7 * i * i.sin())).collect()
}

/// Values of an attribute of all elements of a name.
fn values(svg: &str, element: &str, attribute: &str) -> Vec<String> {
    let after = |text: &str, start: &str| text.split_once(start).map(|(_, rest)| rest.to_owned());
    svg.split(&format!("<{element} "))
        .skip(1)
        .filter_map(|rest| after(rest.split('>').next()?, &format!(" {attribute}=\"").as_str()[1..]))
        .filter_map(|rest| Some(rest.split('"').next()?.to_owned()))
        .collect()
}

#[test]
fn a_plot_is_one_well_formed_document_without_anything_from_outside() {
    for target in TargetType::ALL {
        for count in [0, 1, 2, 10, 60] {
            let svg = plot_svg(target, &shots(target, &spiral(count)));
            assert!(svg.starts_with("<svg xmlns=\"http://www.w3.org/2000/svg\"") && svg.ends_with("</svg>"));
            assert_eq!(svg.matches("http").count(), 1, "only the namespace");
            assert!(!svg.contains("NaN") && !svg.contains("inf") && !svg.contains("\"-0.0\""), "{target:?} {count}");
            let opened = svg.matches('<').count() - svg.matches("</").count();
            assert_eq!(opened, svg.matches("</").count(), "every element is closed");
        }
    }
}

#[test]
fn every_shot_is_drawn_to_scale_where_it_lies_and_in_the_colour_of_its_series() {
    // The view of an air pistol target with a shot at 70 mm reaches 1.1 × 77.75 mm.
    let svg = plot_svg(TargetType::AirPistol10m, &shots(TargetType::AirPistol10m, &[(70.0, 0.0), (0.0, 10.0)]));
    let scale = 300.0 / (1.1 * 77.75);
    let hole = |x: f64, y: f64| {
        format!(
            r##"<circle cx="{:.1}" cy="{:.1}" r="{:.1}" fill="#e69f00""##,
            300.0 + x * scale,
            300.0 - y * scale,
            2.25 * scale
        )
    };
    assert!(svg.contains(&hole(70.0, 0.0)), "{svg}");
    assert!(svg.contains(&hole(0.0, 10.0)), "{svg}");
}

#[test]
fn every_shot_has_its_number_once() {
    let svg = plot_svg(TargetType::AirPistol10m, &shots(TargetType::AirPistol10m, &spiral(30)));
    for number in 1..=30 {
        let label = format!(
            "paint-order=\"stroke\" font-weight=\"600\" text-anchor=\"middle\" dominant-baseline=\"central\">{number}<"
        );
        assert_eq!(svg.matches(&label).count(), 1, "{number}");
    }
}

#[test]
fn a_zoomed_plot_says_so() {
    let target = TargetType::AirPistol10m;
    let near = plot_svg(target, &shots(target, &[(1.0, 1.0)]));
    assert!(near.contains("Zoomed: rings 9–10 of 1–10"), "{near}");
    let wide = plot_svg(target, &shots(target, &[(75.0, 1.0)]));
    assert!(!wide.contains("Zoomed"), "{wide}");
}

#[test]
fn the_whole_target_has_all_its_rings() {
    for target in TargetType::ALL {
        let rings = target.rings();
        let svg = plot_svg(target, &[]);
        let circles = values(&svg, "circle", "r");
        // The rings, the black, and the inner ten where there is one.
        let expected = usize::from(11 - rings.lowest_ring) + 1 + usize::from(rings.inner_ten_um.is_some());
        assert_eq!(circles.len(), expected, "{target:?}: {circles:?}");
    }
}
