"""The Python face of audiofix: one function per verb, and stages for endless input.

Sound is float32, nominal range ±1, `[channels, samples]` or `[samples]`; numpy in gives numpy
out, torch in gives torch out, on the device it came from.
"""

from collections.abc import Sequence
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import NDArray

from audiofix.arguments import (
    Sound,
    channels_of,
    like,
    rate_of,
    real_number,
    samples_of,
    whole_number,
)
from audiofix.audio.format import AudioFormat, Chunk
from audiofix.backends.tasks import GenerateRequest, Latents
from audiofix.errors import InputError
from audiofix.stages import Model, StageOptions, opened_stage
from audiofix.streaming.stage import Stage, through

if TYPE_CHECKING:
    from audiofix.codes.sound import CodedSound


def upsample(
    x: Sound,
    rate: int,
    *,
    to: int,
    cutoff: float | None = None,
    steps: int | None = None,
    mix: float = 1.0,
    seed: int = 0,
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
        steps: sampling steps of a diffusion model; None leaves the model's own choice.
        mix: share of the model in the result, 0 to 1; the rest is `x`, plainly resampled.
        seed: of what a model draws; the same seed gives the same samples.
        model: a catalogue name or a checkpoint file; None takes the default.
        device: `auto`, `cpu`, `cuda`, `cuda:N` or `mps`.
        precision: `auto`, `fp32`, `bf16` or `fp16`.

    Returns:
        Sound of the same kind and number of axes, `round(samples * to / rate)` samples long.

    Raises:
        InputError: `x` has a wrong shape or holds values that are not finite.
        CheckpointError: the model is missing, corrupt or out of reach.
    """
    options = StageOptions(to=to, cutoff=cutoff, steps=steps, seed=seed, mix=mix)
    return _restored("upsample", x, rate, options, Model(model, device, precision))


def decode_restore(
    x: Sound,
    rate: int,
    *,
    mix: float = 1.0,
    seed: int = 0,
    model: str | None = None,
    device: str = "auto",
    precision: str = "auto",
) -> Sound:
    """Undo what MP3, AAC or another lossy codec did to a recording.

    Args:
        x: `[channels, samples]` or `[samples]`, decoded.
        rate: samples per second of `x`.
        mix: see `upsample`.
        seed: see `upsample`.
        model: see `upsample`.
        device: see `upsample`.
        precision: see `upsample`.

    Returns:
        Sound of the same kind, shape and rate.

    Raises:
        InputError: `x` has a wrong shape or holds values that are not finite.
        CheckpointError: the model is missing, corrupt or out of reach.
    """
    options = StageOptions(seed=seed, mix=mix)
    return _restored("decode_restore", x, rate, options, Model(model, device, precision))


def inpaint(
    x: Sound,
    rate: int,
    *,
    gaps: Sequence[tuple[float, float]] | None = None,
    steps: int | None = None,
    seed: int = 0,
    model: str | None = None,
    device: str = "auto",
    precision: str = "auto",
) -> Sound:
    """Fill gaps in a recording.

    Args:
        x: `[channels, samples]` or `[samples]`.
        rate: samples per second of `x`.
        gaps: start and end of each in seconds; None finds them.
        steps: see `upsample`.
        seed: see `upsample`.
        model: see `upsample`.
        device: see `upsample`.
        precision: see `upsample`.

    Returns:
        Sound of the same kind, shape and rate.

    Raises:
        InputError: `x` has a wrong shape or holds values that are not finite.
        CheckpointError: the model is missing, corrupt or out of reach.
    """
    options = StageOptions(gaps=gaps, steps=steps, seed=seed)
    return _restored("inpaint", x, rate, options, Model(model, device, precision))


def generate(
    *,
    count: int = 1,
    seed: int = 0,
    truncation: float = 1.0,
    latents: "NDArray[np.float32] | Latents | None" = None,
    interpolate: int = 0,
    model: str | None = None,
    device: str = "auto",
    precision: str = "auto",
) -> NDArray[np.float32]:
    """Make recordings from nothing.

    Args:
        count: how many.
        seed: of the latents; the same seed gives the same samples.
        truncation: from 0, every recording the average one, to 1, the model's whole variety.
        latents: used instead of drawn ones: Gaussian vectors `[count, dimensions]`, or `Latents`.
        interpolate: recordings between each latent and the next.
        model: see `upsample`.
        device: see `upsample`.
        precision: see `upsample`.

    Returns:
        float32 `[count, channels, samples]`, at the model's rate.

    Raises:
        UsageError: `count` is below one, or the latents do not fit the model.
        CheckpointError: the model is missing, corrupt or out of reach.
    """
    count = whole_number("count", count, 1, 1_000_000)
    seed = whole_number("seed", seed, 0, (1 << 63) - 1)
    truncation = real_number("truncation", truncation)
    generator = Model(model, device, precision).load("generate")
    if isinstance(latents, np.ndarray):
        latents = Latents("z", latents)
    request = GenerateRequest(count, seed, truncation, latents, interpolate)
    return np.stack(list(generator.samples(request)))


def encode(
    x: Sound,
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

    from audiofix.codes.sound import CodedSound

    samples = samples_of(x)
    rate = rate_of("rate", rate)
    codec = Model(model, device, precision).load("encode")
    most = codec.layout.codebooks
    books = most if codebooks is None else whole_number("codebooks", codebooks, 1, most)
    channels, length = samples.shape
    encoder = codec.encoder(AudioFormat(rate, channels), codebooks=books)
    codes = np.concatenate([encoder.push(samples), encoder.flush()], axis=1)
    layout = replace(codec.layout, channels=channels, codebooks=books, source_rate=rate)
    return CodedSound(layout, codes, length, np.ndim(cast(Any, x)))


def decode(
    codes: "CodedSound",
    *,
    model: str | None = None,
    device: str = "auto",
    precision: str = "auto",
) -> NDArray[np.float32]:
    """Decode what `encode` returned.

    Args:
        codes: the codes of a recording.
        model: see `upsample`; None takes the codec that the codes name.
        device: see `upsample`.
        precision: see `upsample`.

    Returns:
        float32 `[channels, samples]`, at the rate and of the length that were encoded; `[samples]`
        where that was encoded.

    Raises:
        CheckpointError: the model is missing, or has other codebooks.
    """
    from audiofix.codes.sound import CodedSound
    from audiofix.streaming.decoding import Decoding, refuse_other_codebooks

    if not isinstance(codes, CodedSound):
        raise InputError(f"codes of {type(codes).__name__}: must be what encode returned")
    layout = codes.layout
    codec = Model(model or layout.model, device, precision).load("decode")
    refuse_other_codebooks(codec, layout, "codes")
    decoding = Decoding(layout, lambda: codec.decoder(layout.channels))
    sound = np.concatenate([decoding.push(codes.codes), decoding.finish(codes.samples)], axis=1)
    return sound[0] if codes.axes == 1 else sound


def load_codes(path: str | PathLike[str]) -> "CodedSound":
    """Return the codes in an `.afc` file, for `decode`.

    Raises:
        InputError: it cannot be read, or is damaged.
    """
    from audiofix.codes.sound import CodedSound

    return CodedSound.load(Path(path))


def read(path: str | PathLike[str]) -> tuple[Chunk, int]:
    """Read any audio file.

    Returns:
        float32 `[channels, samples]`, of exactly the file's length, and samples per second.

    Raises:
        InputError: it cannot be read, or is cut.
    """
    from audiofix.audio.source import open_source, read_whole

    with open_source(Path(path)) as source:
        return read_whole(source), source.format.rate


def write(
    path: str | PathLike[str],
    x: Sound,
    rate: int,
    *,
    bits: str | None = None,
    overwrite: bool = False,
) -> None:
    """Write an audio file, of the type that its extension names; it appears whole or not at all.

    Args:
        path: the file.
        x: `[channels, samples]` or `[samples]`.
        rate: samples per second of `x`.
        bits: sample format: 16, 24, 32, 32f or 64f; None takes 32f, or the nearest of the type.
        overwrite: whether an existing file may be replaced.

    Raises:
        UsageError: the type is unknown, or cannot hold `bits`, the rate or the channels.
        OutputError: it exists, or cannot be written.
    """
    from audiofix.audio.sink import open_sink

    samples = samples_of(x)
    audio = AudioFormat(rate_of("rate", rate), len(samples))
    with open_sink(Path(path), audio, bits=bits, overwrite=overwrite) as sink:
        sink.write(samples)


def open_stage(
    verb: str,
    *,
    rate: int,
    channels: int,
    to: int | None = None,
    cutoff: float | None = None,
    gaps: Sequence[tuple[float, float]] | None = None,
    steps: int | None = None,
    mix: float = 1.0,
    seed: int = 0,
    model: str | None = None,
    device: str = "auto",
    precision: str = "auto",
) -> Stage:
    """Open one stream through one verb.

    However the input is cut into chunks, the output is the same to the bit.

    Args:
        verb: `upsample`, `decode_restore`, `inpaint`, or `codec_roundtrip`: through a codec and
            back.
        rate: samples per second of the input.
        channels: rows of every chunk that will be pushed.
        to: samples per second of the result; `upsample` needs it.
        cutoff: see `upsample`.
        gaps: see `inpaint`.
        steps: see `upsample`.
        mix: see `upsample`; of `upsample` and `decode_restore` only.
        seed: see `upsample`.
        model: see `upsample`.
        device: see `upsample`.
        precision: see `upsample`.

    Raises:
        UsageError: the verb is unknown, or a number makes no sense.
        CheckpointError: the model is missing, corrupt or out of reach.
    """
    options = StageOptions(to=to, cutoff=cutoff, gaps=gaps, steps=steps, seed=seed, mix=mix)
    source = AudioFormat(rate_of("rate", rate), channels_of(channels))
    return opened_stage(verb, source, options, Model(model, device, precision))


def _restored(verb: str, x: Sound, rate: int, options: StageOptions, model: Model) -> Sound:
    samples = samples_of(x)
    source = AudioFormat(rate_of("rate", rate), len(samples))
    stage = opened_stage(verb, source, options, model)
    return like(x, through(stage, samples))
