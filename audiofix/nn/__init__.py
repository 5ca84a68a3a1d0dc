"""Blocks that two backends share, or that have a name in the literature."""
