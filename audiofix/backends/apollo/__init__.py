"""Apollo: music that went through a lossy codec, restored."""
