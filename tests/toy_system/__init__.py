"""A published model family as small as one can be: it multiplies by a number."""
