"""What holds for every test."""

import signal

import audiofix  # noqa: F401  before torch: it sets how long OpenMP's idle threads spin

# A shell that starts the tests in the background leaves Ctrl-C ignored, and so would every command.
signal.signal(signal.SIGINT, signal.default_int_handler)
