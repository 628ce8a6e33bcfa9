//! The report of a session: one page that needs nothing but itself.

mod page;
mod plot;

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

/// The page as HTML: no scripts and no external resources, and every text from outside is escaped.
pub fn render(report: &Report<'_>) -> String {
    page::render(report)
}
