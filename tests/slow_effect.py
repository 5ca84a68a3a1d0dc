"""An effect for the processes of a Ray cluster: slow, and countable."""

import os
import time
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Slow:
    """Copies its input after a while, and notes that it did."""

    seconds: float = 0.3
    makes = None

    def load(self):
        return None

    def run(self, job, loaded, io, progress=None):
        time.sleep(self.seconds)
        text = job.source.read_text() + os.environ.get("AUDIOFIX_TEST", "")
        with Path("runs").open("a") as runs:
            runs.write(f"{job.name}\n")
        with job.output.open("x") as output:
            output.write(text)
