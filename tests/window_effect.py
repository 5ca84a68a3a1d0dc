"""An effect whose model has windows that stand alone, and says which process computed each."""

import os
from dataclasses import dataclass


class Doubler:
    name = "doubler"

    def __init__(self):
        self.computing, self.together = self.compute, 1

    def compute(self, windows):
        return [(2 * window, os.getpid()) for window in windows]

    def compute_elsewhere(self, compute, together):
        self.computing, self.together = compute, together


@dataclass(frozen=True)
class Doubling:
    """What is pickled, so that other processes load the model."""

    def load(self):
        return Doubler()
