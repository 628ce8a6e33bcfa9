//! End-to-end tests: the real binaries behind the local stack. See `end_to_end/`.
