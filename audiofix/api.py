"""The Python face of audiofix: one function per verb, and stages for endless input.

Sound is float32, nominal range ±1, `[channels, samples]` or `[samples]`; numpy in gives numpy
out, torch in gives torch out, on the device it came from.
"""

from typing import TYPE_CHECKING, Any, TypeVar, cast

import numpy as np

from audiofix.audio.format import AudioFormat, Chunk
from audiofix.errors import InputError, UsageError
from audiofix.streaming.guard import Guard
from audiofix.streaming.stage import Stage

if TYPE_CHECKING:
    from audiofix.codes.sound import CodedSound

Sound = TypeVar("Sound")
"""A numpy array or a torch tensor; what went in comes out."""


def upsample(
    x: Sound,
    rate: int,
    *,
    to: int,
    cutoff: float | None = None,
    model: str | None = None,
    device: str = "auto",
    precision: str = "auto",
) -> Sound:
    """Restore the missing high band of a recording.

    Args:
        x: `[channels, samples]` or `[samples]`.
        rate: samples per second of `x`.
        to: samples per second of the result.
        cutoff: where the band of `x` ends, in Hz; None finds it.
        model: a catalogue name or a checkpoint file; None takes the default.
        device: `auto`, `cpu`, `cuda`, `cuda:N` or `mps`.
        precision: `auto`, `fp32`, `bf16` or `fp16`.

    Returns:
        Sound of the same kind and number of axes, `round(samples * to / rate)` samples long.

    Raises:
        InputError: `x` has a wrong shape or holds values that are not finite.
        CheckpointError: the model is missing, corrupt or out of reach.
    """
    samples = _samples_of(x)
    stage = open_stage(
        "upsample",
        rate=rate,
        channels=samples.shape[0],
        to=to,
        cutoff=cutoff,
        model=model,
        device=device,
        precision=precision,
    )
    return _like(x, _through(stage, samples))


def encode(
    x: Any,
    rate: int,
    *,
    codebooks: int | None = None,
    model: str | None = None,
    device: str = "auto",
    precision: str = "auto",
) -> "CodedSound":
    """Encode a recording as the codes of a neural codec.

    Args:
        x: `[channels, samples]` or `[samples]`, numpy or torch.
        rate: samples per second of `x`.
        codebooks: write the first so many only; None for all.
        model: see `upsample`.
        device: see `upsample`.
        precision: see `upsample`.

    Raises:
        InputError: `x` has a wrong shape or holds values that are not finite.
        CheckpointError: the model is missing, corrupt or out of reach.
        UsageError: the codec has fewer codebooks, or `rate` makes no sense.
    """
    from dataclasses import replace

    from audiofix.backends.registry import load_codec
    from audiofix.codes.sound import CodedSound

    samples = _samples_of(x)
    if rate < 1:
        raise UsageError(f"encode: {rate} Hz: must be positive")
    codec = load_codec(model, verb="encode", rate=0, device=device, precision=precision)
    books = codebooks or codec.layout.codebooks
    if not 1 <= books <= codec.layout.codebooks:
        raise UsageError(f"codebooks={books}: {codec.name} has {codec.layout.codebooks}")
    channels, length = samples.shape
    encoder = codec.encoder(AudioFormat(rate, channels))
    codes = np.concatenate([encoder.push(samples), encoder.flush()], axis=1)[:, :, :books]
    layout = replace(codec.layout, channels=channels, codebooks=books, source_rate=rate)
    return CodedSound(layout, codes, length)


def decode(
    codes: "CodedSound",
    *,
    model: str | None = None,
    device: str = "auto",
    precision: str = "auto",
) -> Chunk:
    """Decode what `encode` returned.

    Args:
        codes: the codes of a recording.
        model: see `upsample`; None takes the codec that the codes name.
        device: see `upsample`.
        precision: see `upsample`.

    Returns:
        float32 `[channels, samples]`, at the rate and of the length that were encoded.

    Raises:
        CheckpointError: the model is missing, or has other codebooks.
    """
    from audiofix.backends.decoding import Decoding, refuse_other_codebooks
    from audiofix.backends.registry import load_codec

    layout = codes.layout
    codec = load_codec(
        model or layout.model, verb="decode", rate=0, device=device, precision=precision
    )
    refuse_other_codebooks(codec, layout, "codes")
    decoding = Decoding(layout, lambda: codec.decoder(layout.channels))
    return np.concatenate([decoding.push(codes.codes), decoding.finish(codes.samples)], axis=1)


def open_stage(
    verb: str,
    *,
    rate: int,
    channels: int,
    to: int | None = None,
    cutoff: float | None = None,
    model: str | None = None,
    device: str = "auto",
    precision: str = "auto",
) -> Stage:
    """Open one stream through one verb.

    However the input is cut into chunks, the output is the same to the bit.

    Args:
        verb: `upsample`, or `codec_roundtrip`: through a codec and back.
        rate: samples per second of the input.
        channels: rows of every chunk that will be pushed.
        to: samples per second of the result; `upsample` needs it.
        cutoff: see `upsample`.
        model: see `upsample`.
        device: see `upsample`.
        precision: see `upsample`.

    Raises:
        UsageError: the verb is unknown, or a number makes no sense.
        CheckpointError: the model is missing, corrupt or out of reach.
    """
    if rate < 1 or channels < 1 or (to is not None and to < 1):
        raise UsageError(f"{verb}: {rate} Hz to {to} Hz, {channels} channels: must be positive")
    source = AudioFormat(rate, channels)
    if verb == "codec_roundtrip":
        from audiofix.backends.registry import load_codec

        codec = load_codec(model, verb="encode", rate=0, device=device, precision=precision)
        return Guard(codec.roundtrip(source))
    if verb != "upsample":
        raise UsageError(f"verb {verb}: has no stage: use upsample or codec_roundtrip")
    if to is None:
        raise UsageError("upsample: no result rate: give to=48000")
    from audiofix.backends.base import UpsampleRequest
    from audiofix.backends.registry import load

    restorer = load(model, verb=verb, rate=to, device=device, precision=precision)
    return Guard(restorer.stage(source, UpsampleRequest(to, cutoff)))


def _samples_of(x: object) -> Chunk:
    """Return `x` as a chunk, whatever library it comes from."""
    array = np.asarray(cast(Any, x).detach().cpu() if _is_tensor(x) else x, np.float32)
    if array.ndim not in (1, 2):
        raise InputError(
            f"sound of shape {array.shape}: needs [channels, samples] or [samples]: reshape it"
        )
    return np.ascontiguousarray(np.atleast_2d(array))


def _like(x: Sound, samples: Chunk) -> Sound:
    """Return `samples` as the kind of object that `x` is, with as many axes."""
    shaped = samples if cast(Any, x).ndim == 2 else samples[0]
    if not _is_tensor(x):
        return cast(Sound, shaped)
    import torch

    return cast(Sound, torch.from_numpy(shaped).to(cast(torch.Tensor, x).device))


def _is_tensor(x: object) -> bool:
    """Tell a torch tensor without importing torch."""
    return type(x).__module__.partition(".")[0] == "torch"


def _through(stage: Stage, samples: Chunk) -> Chunk:
    """Return everything that `stage` makes of `samples`."""
    return np.concatenate([stage.push(samples), stage.flush()], axis=1)
