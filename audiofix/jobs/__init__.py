"""Carrying out an effect: one stream, one file, a batch, its processes, a cluster."""
