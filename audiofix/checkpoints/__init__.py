"""Which checkpoints exist, and the store that fetches and keeps them."""
