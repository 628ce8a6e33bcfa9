//! The page around the plot.

use super::Report;

pub(super) fn render(report: &Report<'_>) -> String {
    let _ = report;
    String::new()
}
