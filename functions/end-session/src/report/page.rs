//! The page around the plot. Every text goes through `maud`, which escapes it: the metadata is the user's own.

use std::fmt::Display;

use chrono::{DateTime, SecondsFormat, Utc};
use maud::{DOCTYPE, Markup, PreEscaped, html};
use shared::domain::{
    advice::Advice,
    session::Session,
    shot::Shot,
    statistics::{Group, SERIES_SHOTS, Series, Statistics},
    target::TargetType,
};

use super::{Report, plot, series_colour};

/// Nothing may be loaded or run, even if a text from outside were to become part of the page.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'";

/// What stands where there is no figure.
const NONE: &str = "–";

/// The page as HTML: no scripts and no external resources, and every text from outside is escaped.
pub fn render(report: &Report<'_>) -> String {
    let Report { session, shots, statistics, advice } = *report;
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta http-equiv="Content-Security-Policy" content=(POLICY);
                meta name="robots" content="noindex";
                meta name="referrer" content="no-referrer";
                title { "Shooting session of " (day(session.created_at)) }
                style { (PreEscaped(include_str!("page.css"))) }
            }
            body {
                main {
                    (show_header(session))
                    (show_key_figures(statistics))
                    div class="columns" {
                        div class="plot" {
                            (plot::draw(session.target_type(), shots))
                            (show_advice(advice))
                        }
                        div {
                            @if let Some(group) = &statistics.group { (show_group(group)) }
                            (show_series(&statistics.series))
                            (show_shots(shots))
                            (show_session(session, statistics))
                        }
                    }
                }
            }
        }
    };
    page.into_string()
}

fn show_header(session: &Session) -> Markup {
    html! {
        h1 { "Session of " (day(session.created_at)) }
        p class="soft" {
            (spoken(session.session_type.name())) " · "
            (target_name(session.target_type())) " · "
            (spoken(session.status().name()))
        }
    }
}

fn show_key_figures(statistics: &Statistics) -> Markup {
    html! {
        dl class="figures" {
            (pair("Total", format!("{:.1}", statistics.total_score)))
            (pair("Average", or_none(statistics.average_score, "")))
            (pair("Shots", statistics.total_shots))
            (pair("In the black", or_none(statistics.accuracy_percentage, " %")))
            (pair("Best", or_none(statistics.best_score, "")))
            (pair("Worst", or_none(statistics.worst_score, "")))
        }
    }
}

fn show_advice(advice: &Advice) -> Markup {
    let lists =
        [("Strengths", &advice.strengths), ("Improvements", &advice.improvements), ("Next steps", &advice.next_steps)];
    html! {
        h2 { "Advice" }
        @for (heading, texts) in lists.into_iter().filter(|(_, texts)| !texts.is_empty()) {
            h3 { (heading) }
            ul { @for text in texts { li { (text) } } }
        }
    }
}

fn show_group(group: &Group) -> Markup {
    let interval = group.sigma_interval_mm.map_or(NONE.to_owned(), |[low, high]| format!("{low:.1} to {high:.1} mm"));
    let side = |value: f64, below: &str, above: &str| match value {
        0.0 => "0.0 mm".to_owned(),
        _ => format!("{:.1} mm {}", value.abs(), if value < 0.0 { below } else { above }),
    };
    html! {
        h2 { "Group" }
        dl {
            (pair("Centre, sideways", side(group.offset_mm.x, "left", "right")))
            (pair("Centre, height", side(group.offset_mm.y, "low", "high")))
            (pair("Mean radius", format!("{:.1} mm", group.mean_radius_mm)))
            (pair("σ per axis", or_none(group.sigma_mm, " mm")))
            (pair("σ, 90 % interval", interval))
            (pair("R50, half of all shots", or_none(group.r50_mm, " mm")))
            (pair("R95, 95 % of all shots", or_none(group.r95_mm, " mm")))
            (pair("Extreme spread", format!("{:.1} mm", group.extreme_spread_mm)))
        }
    }
}

fn show_series(series: &[Series]) -> Markup {
    html! {
        @if series.len() > 1 {
            h2 { "Series" }
            table {
                thead { tr { th { "Series" } th { "Shots" } th { "Average" } } }
                tbody {
                    @for (index, one) in series.iter().enumerate() {
                        tr {
                            td { (dot(index)) (index + 1) }
                            td { (one.shots) }
                            td { (format!("{:.1}", one.average_score)) }
                        }
                    }
                }
            }
        }
    }
}

fn show_shots(shots: &[Shot]) -> Markup {
    html! {
        @if !shots.is_empty() {
            h2 { "Shots" }
            table {
                thead { tr { th { "Shot" } th { "Frame" } th { "Score" } th { "x mm" } th { "y mm" } } }
                tbody {
                    @for (index, shot) in shots.iter().enumerate() {
                        tr data-shot=(index + 1) class=[(index % SERIES_SHOTS == SERIES_SHOTS - 1).then_some("series-end")] {
                            td { (dot(index / SERIES_SHOTS)) (index + 1) }
                            td { (shot.first_frame) }
                            td { (shot.score) }
                            td { (signed(shot.position.x_mm)) }
                            td { (signed(shot.position.y_mm)) }
                        }
                    }
                }
            }
            p class="soft" { "From the target’s centre: right and up are positive." }
        }
    }
}

fn show_session(session: &Session, statistics: &Statistics) -> Markup {
    html! {
        h2 { "Session" }
        dl {
            (pair("Id", session.id))
            (pair("Type", spoken(session.session_type.name())))
            (pair("Target", target_name(session.target_type())))
            (pair("Started", time(session.created_at)))
            @if let Some(end) = session.end { (pair("Ended", time(end.at))) }
            (pair("Status", spoken(session.status().name())))
            (pair("Duration", format!("{:.1} min", statistics.session_duration_minutes)))
            @if let Some(metres) = session.metadata.distance_m() { (pair("Distance", format!("{metres} m"))) }
            @if let Some(equipment) = session.metadata.equipment() { (pair("Equipment", equipment)) }
        }
    }
}

fn pair(name: &str, value: impl Display) -> Markup {
    html! { div { dt { (name) } dd { (value.to_string()) } } }
}

/// The colour of a series.
fn dot(series: usize) -> Markup {
    html! { span class="dot" style={ "background:" (series_colour(series)) } {} }
}

fn or_none(value: Option<f64>, unit: &str) -> String {
    value.map_or(NONE.to_owned(), |value| format!("{value:.1}{unit}"))
}

/// With its sign, a true minus; nothing is never negative.
fn signed(mm: f64) -> String {
    let tenths = (mm * 10.0).round() / 10.0 + 0.0;
    let sign = if tenths < 0.0 { "−" } else { "" };
    format!("{sign}{:.1}", tenths.abs())
}

/// `timed_out` as `timed out`.
fn spoken(name: &str) -> String {
    name.replace('_', " ")
}

fn target_name(target: TargetType) -> &'static str {
    match target {
        TargetType::Standard => "25 m precision / 50 m pistol",
        TargetType::AirPistol10m => "10 m air pistol",
        TargetType::AirRifle10m => "10 m air rifle",
        TargetType::RapidFire25m => "25 m rapid fire pistol",
        TargetType::Rifle50m => "50 m rifle",
    }
}

fn day(at: DateTime<Utc>) -> String {
    at.format("%-d %B %Y").to_string()
}

fn time(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true).replace('T', " ").replace('Z', " UTC")
}

#[cfg(test)]
mod tests;
