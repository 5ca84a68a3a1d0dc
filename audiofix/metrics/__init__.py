"""Distances between a reference and an estimate."""
