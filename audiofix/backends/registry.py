"""Which backend stands behind a checkpoint, and which network behind a name."""

import logging
from collections.abc import Mapping
from importlib import import_module

from torch import nn

from audiofix.backends.base import Codec, Config, Restorer
from audiofix.backends.placement import place
from audiofix.backends.weights import Checkpoint, load_checkpoint
from audiofix.checkpoints.store import default_entry
from audiofix.errors import CheckpointError, UsageError

log = logging.getLogger(__name__)

BACKENDS: Mapping[str, str] = {
    "vmasr": "audiofix.backends.vmasr.restore",
}
"""Backend -> the module whose `restorer(checkpoint, placement)` opens its checkpoints."""

CODECS: Mapping[str, str] = {
    "audiodec": "audiofix.backends.audiodec.codec",
}
"""Backend -> the module whose `codec(checkpoint, placement)` opens its checkpoints."""

NETWORKS: Mapping[str, str] = {
    "vmasr": "audiofix.backends.vmasr.network",
    "vmasr.discriminator": "audiofix.backends.vmasr.discriminator",
    "a2sb": "audiofix.backends.a2sb.network",
    "audiodec": "audiofix.backends.audiodec.autoencoder",
    "audiodec.discriminator": "audiofix.backends.audiodec.discriminator",
    "audiodec.vocoder": "audiofix.backends.audiodec.vocoder",
    "audiodec.vocoder_discriminator": "audiofix.backends.audiodec.discriminator",
    "asgan": "audiofix.backends.asgan.network",
    "asgan.discriminator": "audiofix.backends.asgan.discriminator",
    "asgan.vocoder": "audiofix.backends.asgan.vocoder",
    "asgan.classifier": "audiofix.backends.asgan.classifier",
}
"""Network -> the module whose `build(config)` makes it."""


def build(name: str, config: Config) -> nn.Module:
    """Return the network of this name with fresh weights, in eval mode.

    Args:
        name: a key of `NETWORKS`.
        config: the settings under the authors' names, as the parity files hold them.

    Raises:
        UsageError: no network has this name.
        SettingsError: a key of `config` is unknown.
    """
    if name not in NETWORKS:
        raise UsageError(f"network {name}: unknown: use one of {', '.join(NETWORKS)}")
    network: nn.Module = import_module(NETWORKS[name]).build(config)
    return network.eval()


def load(
    model: str | None,
    *,
    verb: str,
    rate: int,
    device: str = "auto",
    precision: str = "auto",
    offline: bool | None = None,
) -> Restorer:
    """Load a model, downloading its checkpoint on first use.

    Args:
        model: a catalogue name, a checkpoint file, or None for the verb's default.
        verb: the task; chooses the default and refuses a checkpoint made for another.
        rate: samples per second that the result is wanted at; chooses the default.
        device: see `placement.place`.
        precision: see `placement.place`.
        offline: True never touches the network, None asks `AUDIOFIX_OFFLINE`.

    Raises:
        UnknownModel: names the nearest model.
        CheckpointError: no checkpoint is there, or it cannot be fetched or read.
        DeviceError: the device is absent.
    """
    placement = place(device, precision)
    checkpoint = _checkpoint(model, BACKENDS, verb=verb, rate=rate, offline=offline)
    restorer: Restorer = import_module(BACKENDS[checkpoint.backend]).restorer(checkpoint, placement)
    log.info("model %s (%s), on %s", checkpoint.name, checkpoint.origin, placement)
    return restorer


def load_codec(
    model: str | None,
    *,
    verb: str,
    rate: int,
    device: str = "auto",
    precision: str = "auto",
    offline: bool | None = None,
    denoise: bool = False,
    vocoder: bool | None = None,
) -> Codec:
    """Load a codec, downloading its checkpoint on first use; see `load`.

    Args:
        model: see `load`.
        verb: see `load`.
        rate: see `load`.
        device: see `load`.
        precision: see `load`.
        offline: see `load`.
        denoise: whether its encoder must leave noise out.
        vocoder: whether to decode by its vocoder; None takes what it has.

    Raises:
        UsageError: it does not denoise, or has no vocoder.
    """
    placement = place(device, precision)
    checkpoint = _checkpoint(model, CODECS, verb=verb, rate=rate, offline=offline, denoises=denoise)
    if denoise and not checkpoint.config.get("denoises"):
        raise UsageError(f"--denoise: {checkpoint.name} does not: use -m audiodec-vctk-denoise")
    opened = import_module(CODECS[checkpoint.backend])
    codec: Codec = opened.codec(checkpoint, placement, vocoder=vocoder)
    log.info("model %s (%s), on %s", checkpoint.name, checkpoint.origin, placement)
    return codec


def is_codec(model: str, *, offline: bool | None = None) -> bool:
    """Return whether a model is a codec, fetching it on first use; see `load`."""
    return load_checkpoint(model, offline=offline).backend in CODECS


def _checkpoint(
    model: str | None,
    backends: Mapping[str, str],
    *,
    verb: str,
    rate: int,
    offline: bool | None,
    denoises: bool = False,
) -> Checkpoint:
    if model is None:
        entry = default_entry(verb, rate, backends, denoises=denoises)
        if entry is None and denoises:
            raise CheckpointError(
                f"{verb} --denoise: no denoising model on this machine: fetch one with "
                "`audiofix models pull audiodec-vctk-denoise`"
            )
        if entry is None:
            raise CheckpointError(
                f"{verb}: no checkpoint on this machine: fetch one with "
                "`audiofix models pull NAME`, or name a file with -m FILE"
            )
        model = entry.name
    checkpoint = load_checkpoint(model, offline=offline)
    if checkpoint.backend not in backends:
        raise CheckpointError(
            f"{checkpoint.name}: a {checkpoint.backend} checkpoint cannot {verb}: "
            f"choose a model of {', '.join(backends)}"
        )
    return checkpoint
