"""Blocks of networks that have a name in the literature or that two backends share."""
