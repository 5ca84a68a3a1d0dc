"""The folder of a run: what goes wrong while writing into it is the user's to mend."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from safetensors import SafetensorError

from audiofix.errors import OutputError
from audiofix.files import SUFFIX, remove_left_overs


@contextmanager
def writing_to(run: Path) -> Iterator[None]:
    """Turn what goes wrong while writing into the run's folder into one error.

    Raises:
        OutputError: the disk is full, or the folder cannot be written to.
    """
    try:
        yield
    # Libraries hide the system's error: torch in a RuntimeError, safetensors in one of its own.
    except (OSError, RuntimeError, SafetensorError, OutputError) as error:
        reason = getattr(error, "strerror", None) or (str(error).splitlines() or [""])[0]
        raise OutputError(
            f"{run}: cannot be written ({reason}): free some space or mend its permissions, "
            "then go on with --resume"
        ) from error


def remove_unfinished(run: Path) -> None:
    """Remove what processes that were killed had not finished writing."""
    for path in run.glob(f".*{SUFFIX}"):
        name = path.name.removeprefix(".").removesuffix(SUFFIX).rpartition(".")[0]
        remove_left_overs(run / name)
