"""Autoregressive filling of gaps: no weights, only what both sides of a gap tell."""
