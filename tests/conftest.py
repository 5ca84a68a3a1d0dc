"""What holds for every test."""

import audiofix  # noqa: F401  before torch: it sets how long OpenMP's idle threads spin
