"""VM-ASR: bandwidth extension by a dual-stream visual state-space U-Net (Zhang and Ruan, 2025)."""
