"""Streams of codes: what one is, and its container."""
