"""The way from a model's name to a loaded model."""

import logging
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
from torch import Tensor, nn

from audiofix.audio.remote import url_of
from audiofix.backends import table
from audiofix.backends.chosen import chosen_model, weightless
from audiofix.backends.placement import Placement, place
from audiofix.backends.released_files import read_released, tensors_in
from audiofix.backends.system import System, imported
from audiofix.backends.table import system_of
from audiofix.backends.tasks import Config
from audiofix.backends.weights import Checkpoint, read_checkpoint, write_checkpoint
from audiofix.checkpoints import store
from audiofix.checkpoints.catalogue import Entry
from audiofix.checkpoints.remote import fetched
from audiofix.errors import CheckpointError, SettingsError, UsageError
from audiofix.jobs.options import Computing

log = logging.getLogger(__name__)

_MISFITS = (
    TypeError, ValueError, LookupError, AttributeError, ArithmeticError, RuntimeError,
    AssertionError, NotImplementedError, MemoryError,
)  # fmt: skip
"""What building a network raises from settings that make no sense."""


def build(name: str, config: Config) -> nn.Module:
    """Return the network of this name with fresh weights, in eval mode.

    Args:
        name: a network of one of the systems.
        config: the settings under the authors' names, as the parity files hold them.

    Raises:
        UsageError: no network has this name.
        SettingsError: a key of `config` is unknown.
    """
    networks = {key: place for system in table.SYSTEMS for key, place in system.networks.items()}
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
        model: a catalogue name, a checkpoint file, `best`, or None for the task's default.
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
    name = chosen_model(task, model, rate, denoise=denoise)
    checkpoint = load_checkpoint(name, offline=offline)
    table.check_task(checkpoint.name, checkpoint.system, task)
    if denoise and not checkpoint.config.get("denoises"):
        raise UsageError(f"--denoise: {checkpoint.name} does not: leave -m out, or name another")
    opened = _opened(checkpoint, task, placement)
    log.info("model %s (%s), on %s", checkpoint.name, checkpoint.origin, placement)
    return opened


def load_for(task: str, computing: Computing, *, rate: int = 0, denoise: bool = False) -> Any:
    """Load the model that was chosen for a task, onto the device that was chosen; see `load`."""
    placement = place(computing.device, computing.precision)
    return load(
        task, computing.model, placement, rate=rate, denoise=denoise, offline=computing.offline
    )


def tasks_of(model: str, *, offline: bool | None = None) -> tuple[str, ...]:
    """Return what a model can do, fetching it on first use; see `load`."""
    return tuple(system_of(load_checkpoint(model, offline=offline).system).tasks)


def load_checkpoint(name_or_path: str, *, offline: bool | None = None) -> Checkpoint:
    """Return a checkpoint by catalogue name, imported name, file or URL.

    A released file is fetched on first use and converted once to safetensors.

    Raises:
        UnknownModel: neither a file nor a name.
        CheckpointError: it cannot be fetched or read, or is refused.
    """
    if name_or_path in weightless():
        return Checkpoint(name_or_path, name_or_path, {}, {}, "computed")
    if url := url_of(name_or_path):
        return read_file(fetched(url, offline=offline))
    path = Path(name_or_path)
    if path.suffix or path.is_file():
        if not path.is_file():
            raise CheckpointError(f"{path}: no such checkpoint file: check the name")
        return read_file(path)
    return read_file(store.ready(name_or_path, convert, offline=offline))


def read_file(path: Path) -> Checkpoint:
    """Return the checkpoint in a file: audiofix's own, or one that a system's authors released.

    Raises:
        CheckpointError: it is neither, is damaged, or holds code.
    """
    own = read_checkpoint(path)
    return own if own is not None else read_parts({"weights": path})


def read_parts(parts: Mapping[str, Path]) -> Checkpoint:
    """Return the model in the files that a system's authors released.

    Args:
        parts: the files by the names that their system gives them, `weights` for a single one; the
            first tells the system.

    Raises:
        CheckpointError: one is damaged or holds code, or they are of no system.
    """
    path = next(iter(parts.values()))
    tensors = tensors_in(read_released(path))
    for system in table.SYSTEMS:
        released = _released(system)
        if released and released.recognise(tensors):
            config, tensors = _read(released, parts)
            return Checkpoint(path.stem, system.name, config, tensors, str(path))
    raise CheckpointError(f"{path}: of no system that this version of audiofix knows")


def convert(wanted: Entry, parts: Mapping[str, Path], target: Path) -> None:
    """Write the released files of a catalogue entry as one model; see `store.Convert`.

    Raises:
        CheckpointError: a file is damaged, or is not what the entry says.
    """
    released = _released(system_of(wanted.system))
    if released is None:
        raise CheckpointError(f"{wanted.name}: this version of audiofix cannot read its files")
    config, tensors = _read(released, parts)
    config = {**config, **wanted.config, "rate": wanted.rate}
    checkpoint = Checkpoint(wanted.name, wanted.system, config, tensors, ", ".join(map(str, parts)))
    _prove(checkpoint, wanted.verbs)
    write_checkpoint(target, checkpoint)


def files_for_others(checkpoint: Checkpoint, layout: str) -> dict[str, bytes]:
    """Return the files, by extension, in which other programs expect a model of this system.

    Raises:
        UsageError: the system has no such layout.
        CheckpointError: the model is one that only audiofix can run.
    """
    released = _released(system_of(checkpoint.system))
    layouts = getattr(released, "LAYOUTS", ())
    if released is None or layout not in layouts:
        known = f"use {', '.join(layouts)}" if layouts else "leave --format out"
        raise UsageError(f"--format {layout}: not for {checkpoint.system} models: {known}")
    written: dict[str, bytes] = released.files(checkpoint, layout)
    return written


def keep(checkpoint: Checkpoint) -> Path:
    """Write a checkpoint into the store under its name and return its path.

    Raises:
        CheckpointError: it does not open.
        OutputError: the store has one of that name, or cannot be written.
    """
    _prove(checkpoint, tuple(system_of(checkpoint.system).tasks))
    return store.keep(
        checkpoint.name, lambda path: write_checkpoint(path, checkpoint), overwrite=False
    )


def _opened(checkpoint: Checkpoint, task: str, placement: Placement) -> Any:
    """Open a checkpoint for a task; whatever is wrong with it is a `CheckpointError`."""
    opener = imported(system_of(checkpoint.system).tasks[task])
    try:
        with placement.guard():
            return opener(checkpoint, placement)
    except (SettingsError, *_MISFITS) as error:
        raise CheckpointError(
            f"{checkpoint.name}: its settings make no network ({error}): get it again"
        ) from error


def _prove(checkpoint: Checkpoint, tasks: tuple[str, ...]) -> None:
    """Open a checkpoint once, so that a defect is found when it comes, not when it is needed."""
    for task in system_of(checkpoint.system).tasks:
        if task in tasks:
            _opened(checkpoint, task, Placement(torch.device("cpu")))
            return


def _read(
    released: ModuleType, parts: Mapping[str, Path]
) -> tuple[dict[str, object], dict[str, Tensor]]:
    """Read a system's own files; whatever is wrong with them is a `CheckpointError`."""
    try:
        config, tensors = released.read(parts)
    except _MISFITS as error:
        names = ", ".join(map(str, parts.values()))
        raise CheckpointError(f"{names}: damaged ({error!r:.80}): get it again") from error
    return config, tensors


def _released(system: System) -> ModuleType | None:
    return import_module(system.released) if system.released else None
