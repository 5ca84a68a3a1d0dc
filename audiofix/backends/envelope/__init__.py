"""The envelope system: predict the level of the missing band, fill it with shaped noise."""
