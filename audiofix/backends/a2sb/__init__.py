"""A2SB: an audio-to-audio Schrödinger bridge for music (Kong et al., 2025, arXiv 2501.11311)."""
