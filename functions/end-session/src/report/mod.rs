//! The report of a session: one page that needs nothing but itself.

mod page;
mod plot;

pub use page::render;
pub use plot::plot_svg;
use shared::domain::{advice::Advice, session::Session, shot::Shot, statistics::Statistics};

/// Everything that the page shows.
#[derive(Debug, Clone, Copy)]
pub struct Report<'a> {
    /// The session, ended.
    pub session: &'a Session,
    /// In firing order: a shot's number is its index plus one.
    pub shots: &'a [Shot],
    pub statistics: &'a Statistics,
    pub advice: &'a Advice,
}

/// Colours of the series, in turn: those of Okabe and Ito (2008) that stand out from white and black alike, whatever
/// colours one's eyes tell apart.
const SERIES_COLOURS: [&str; 6] = ["#e69f00", "#56b4e9", "#00b183", "#f0e442", "#e8743b", "#cc79a7"];

/// Colour of a series by its index.
fn series_colour(series: usize) -> &'static str {
    SERIES_COLOURS[series % SERIES_COLOURS.len()]
}
