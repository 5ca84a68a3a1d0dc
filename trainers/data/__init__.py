"""Recordings in, training pairs out."""
