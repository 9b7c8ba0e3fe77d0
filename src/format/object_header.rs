//! IV.A.1. Object headers.
