"""Codec streams on disk and in pipes: the `.afc` container (docs/afc.md)."""
