"""Samples in, samples out: files, pipes and their encodings."""
