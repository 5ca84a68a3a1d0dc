"""One module per system: what makes its training different from another's."""
