"""How tests start audiofix as a user would."""

import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

Run = Callable[..., subprocess.CompletedProcess[bytes]]
"""`run(*arguments, stdin=b"", cwd=None, env=None)`: run a command to its end."""


def command_line(arguments: Sequence[str | Path]) -> list[str]:
    """Return the words that start audiofix with these arguments."""
    return [sys.executable, "-m", "audiofix", *map(str, arguments)]
