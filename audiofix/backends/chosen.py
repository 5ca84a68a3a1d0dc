"""Which model a user's words mean, and what is refused of it before torch is there."""

import ctypes
import logging
import os
import sys
from pathlib import Path

from audiofix.audio.remote import url_of
from audiofix.backends import table
from audiofix.backends.table import systems_for
from audiofix.checkpoints import catalogue, choice, store
from audiofix.checkpoints.catalogue import Entry
from audiofix.errors import CheckpointError, DeviceError
from audiofix.jobs.options import Computing

log = logging.getLogger(__name__)

BEST = "best"
"""The name that stands for the best released model."""


def expected(
    task: str, computing: Computing, *, rate: int = 0, denoise: bool = False
) -> Entry | None:
    """Return the catalogue's entry of the model that will be loaded; None where it has none.

    Loading torch takes longer than many jobs: what it is not needed for is refused here.

    Raises:
        UnknownModel: names the nearest model.
        CheckpointError: there is no model on this machine, or it cannot do the task.
        DeviceError: a GPU is asked for where there is no driver for one.
    """
    _refuse_missing_driver(computing.device)
    name = chosen_model(task, computing.model, rate, denoise=denoise)
    if name in weightless() or url_of(name) or Path(name).suffix or Path(name).is_file():
        return None
    if name not in catalogue.entries() and store.is_present(name):
        return None  # imported
    found = catalogue.entry(name)
    table.check_task(name, found.system, task)
    return found


def chosen_model(task: str, model: str | None, rate: int = 0, *, denoise: bool = False) -> str:
    """Return the name or file of the model that a user's words mean; see `systems.load`.

    Without words it is `AUDIOFIX_MODEL`, else the best that was pulled, else what comes with
    audiofix.

    Raises:
        CheckpointError: there is none on this machine, or of `best`, none was released.
    """
    model = model or os.environ.get("AUDIOFIX_MODEL") or None
    if model not in (None, BEST):
        return model
    suitable = (task, rate, systems_for(task))
    best = choice.best_entry(*suitable, denoises=denoise)
    if model == BEST:
        if best is None:
            raise CheckpointError(f"{task}: no model was released: name a file with -m FILE")
        return best.name
    found = choice.default_entry(*suitable, denoises=denoise)
    if (found is None or found.shipped) and (computed := weightless(task)):
        return computed[0]  # measures better than what ships
    if found is None:
        raise CheckpointError(
            f"{task}{' --denoise' if denoise else ''}: no model on this machine: fetch one with "
            f"`audiofix models pull {best.name if best else 'NAME'}`, or name a file with -m FILE"
        )
    if best and best.rank > found.rank:
        log.info("%s is there; %s is better: use -m best to fetch it", found.name, best.name)
    return found.name


def weightless(task: str | None = None) -> list[str]:
    """Return the systems without checkpoints, those of one task where it is named."""
    return [s.name for s in table.SYSTEMS if s.weightless and (task is None or task in s.tasks)]


def _refuse_missing_driver(device: str) -> None:
    if sys.platform != "linux" or device.partition(":")[0] != "cuda":
        return
    try:
        ctypes.CDLL("libcuda.so.1")
    except OSError as error:
        raise DeviceError(
            f"device {device}: no NVIDIA driver is here: use --device cpu, or see `audiofix doctor`"
        ) from error
