//! What latest-metrics says, to whom, and that it does not depend on how the deliveries came.

mod answer;
mod convergence;
mod readers;
