"""The table of systems, and the way from a model's name to a loaded model."""

import logging
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

from torch import nn

from audiofix.backends.a2sb.system import SYSTEM as A2SB
from audiofix.backends.asgan.system import SYSTEM as ASGAN
from audiofix.backends.audiodec.system import SYSTEM as AUDIODEC
from audiofix.backends.placement import Placement
from audiofix.backends.system import System, imported
from audiofix.backends.tasks import Config
from audiofix.backends.vmasr.system import SYSTEM as VMASR
from audiofix.backends.weights import (
    Checkpoint,
    read_checkpoint,
    read_released,
    save_checkpoint,
    tensors_in,
)
from audiofix.checkpoints import store
from audiofix.checkpoints.catalogue import entry
from audiofix.checkpoints.download import Progress
from audiofix.errors import CheckpointError, UsageError

log = logging.getLogger(__name__)

SYSTEMS: tuple[System, ...] = (VMASR, A2SB, ASGAN, AUDIODEC)
"""Every model family there is; nothing else names one."""


def system_of(name: str) -> System:
    """Return the system of this name.

    Raises:
        CheckpointError: this version of audiofix does not have it.
    """
    for system in SYSTEMS:
        if system.name == name:
            return system
    raise CheckpointError(f"system {name}: not in this version of audiofix: upgrade it")


def systems_for(task: str) -> list[str]:
    """Return the names of the systems that can do a task."""
    return [system.name for system in SYSTEMS if task in system.tasks]


def build(name: str, config: Config) -> nn.Module:
    """Return the network of this name with fresh weights, in eval mode.

    Args:
        name: a network of one of the systems.
        config: the settings under the authors' names, as the parity files hold them.

    Raises:
        UsageError: no network has this name.
        SettingsError: a key of `config` is unknown.
    """
    networks = {key: place for system in SYSTEMS for key, place in system.networks.items()}
    if name not in networks:
        raise UsageError(f"network {name}: unknown: use one of {', '.join(networks)}")
    network: nn.Module = imported(networks[name])(config)
    return network.eval()


def load(
    task: str,
    model: str | None,
    placement: Placement,
    *,
    rate: int = 0,
    denoise: bool = False,
    offline: bool | None = None,
) -> Any:
    """Load a model for a task, downloading its checkpoint on first use.

    Args:
        task: what it shall do; chooses the default, and refuses a model that cannot do it.
        model: a catalogue name, a checkpoint file, or None for the task's default.
        placement: where and how precisely to compute.
        rate: samples per second that the result is wanted at; chooses the default.
        denoise: whether it must be a codec that leaves noise out; chooses the default.
        offline: True never touches the network, None asks `AUDIOFIX_OFFLINE`.

    Returns:
        A `Restorer`, `Codec` or `Generator` of `tasks.py`, whichever the task has.

    Raises:
        UnknownModel: names the nearest model.
        CheckpointError: no checkpoint is there, or it cannot be fetched or read, or is of a system
            that does other tasks.
        UsageError: it does not denoise.
    """
    checkpoint = load_checkpoint(model or _default(task, rate, denoise), offline=offline)
    tasks = system_of(checkpoint.system).tasks
    if task not in tasks:
        raise CheckpointError(
            f"{checkpoint.name}: a {checkpoint.system} checkpoint cannot {task}: "
            f"choose a model of {', '.join(systems_for(task))}"
        )
    if denoise and not checkpoint.config.get("denoises"):
        raise UsageError(f"--denoise: {checkpoint.name} does not: use -m audiodec-vctk-denoise")
    opened = imported(tasks[task])(checkpoint, placement)
    log.info("model %s (%s), on %s", checkpoint.name, checkpoint.origin, placement)
    return opened


def tasks_of(model: str, *, offline: bool | None = None) -> tuple[str, ...]:
    """Return what a model can do, fetching it on first use; see `load`."""
    return tuple(system_of(load_checkpoint(model, offline=offline).system).tasks)


def load_checkpoint(name_or_path: str, *, offline: bool | None = None) -> Checkpoint:
    """Return a checkpoint by catalogue name, imported name or file.

    A released file is fetched on first use and converted once to safetensors.

    Raises:
        UnknownModel: neither a file nor a name.
        CheckpointError: it cannot be fetched or read, or is refused.
    """
    path = Path(name_or_path)
    if path.suffix or path.is_file():
        if not path.is_file():
            raise CheckpointError(f"{path}: no such checkpoint file: check the name")
        return read_file(path)
    converted = store.model_path(name_or_path)
    if converted.exists():
        return read_file(converted)
    return convert(name_or_path, offline=offline)


def read_file(path: Path) -> Checkpoint:
    """Return the checkpoint in a file: audiofix's own, or one that a system's authors released.

    Raises:
        CheckpointError: it is neither, is damaged, or holds code.
    """
    own = read_checkpoint(path)
    if own is not None:
        return own
    tensors = tensors_in(read_released(path))
    for system in SYSTEMS:
        released = _released(system)
        if released and released.recognise(tensors):
            config, tensors = released.read({"weights": path})
            return Checkpoint(path.stem, system.name, config, tensors, str(path))
    raise CheckpointError(f"{path}: of no system that this version of audiofix knows")


def convert(
    name: str, *, offline: bool | None = None, progress: Progress | None = None
) -> Checkpoint:
    """Fetch a catalogue entry, write it to the store as safetensors, and return it."""
    wanted = entry(name)
    released = _released(system_of(wanted.system))
    if released is None:
        raise CheckpointError(
            f"{name}: this version of audiofix cannot read {wanted.system}'s files"
        )
    parts = store.fetch(name, offline=offline, progress=progress)
    config, tensors = released.read(parts)
    config = {**config, **wanted.config, "rate": wanted.rate}
    origin = ", ".join(str(path) for path in parts.values())
    checkpoint = Checkpoint(name, wanted.system, config, tensors, origin)
    keep(checkpoint)
    if wanted.members:
        for path in parts.values():
            path.unlink(missing_ok=True)  # the archive still has it
    return checkpoint


def keep(checkpoint: Checkpoint) -> Path:
    """Write a checkpoint into the store under its name and return its path."""
    path = store.model_path(checkpoint.name)
    with store.lock(checkpoint.name):
        path.parent.mkdir(parents=True, exist_ok=True)
        save_checkpoint(path, checkpoint)
        store.record(path)
    return path


def _released(system: System) -> ModuleType | None:
    return import_module(system.released) if system.released else None


def _default(task: str, rate: int, denoise: bool) -> str:
    found = store.default_entry(task, rate, systems_for(task), denoises=denoise)
    if found is not None:
        return found.name
    if denoise:
        raise CheckpointError(
            f"{task} --denoise: no denoising model on this machine: fetch one with "
            "`audiofix models pull audiodec-vctk-denoise`"
        )
    raise CheckpointError(
        f"{task}: no checkpoint on this machine: fetch one with "
        "`audiofix models pull NAME`, or name a file with -m FILE"
    )
