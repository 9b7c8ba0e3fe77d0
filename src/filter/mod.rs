//! Filters: bytes to bytes, chunk by chunk.
