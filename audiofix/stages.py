"""Stages for callers of the Python API: their arguments checked, their model loaded."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from audiofix.arguments import gaps_of, rate_of, real_number, share_of, whole_number
from audiofix.audio.format import AudioFormat
from audiofix.backends.tasks import DecodeRestoreRequest, InpaintRequest, UpsampleRequest
from audiofix.errors import UsageError
from audiofix.streaming.guard import Guard
from audiofix.streaming.mixed import mixed
from audiofix.streaming.stage import Stage


@dataclass(frozen=True, slots=True)
class Model:
    """A model, and where and how precisely it computes."""

    name: str | None
    device: str
    precision: str

    def load(self, task: str, rate: int = 0) -> Any:
        """Load the model for a task; see `audiofix.backends.systems.load`.

        Raises:
            UsageError: a name is none.
        """
        for name, value in (("model", self.name or ""), ("device", self.device)):
            if not isinstance(value, str):
                raise UsageError(f"{name}={value!r:.50}: must be a text")
        from audiofix.backends.placement import place
        from audiofix.backends.systems import load

        return load(task, self.name, place(self.device, self.precision), rate=rate)


@dataclass(frozen=True, slots=True)
class StageOptions:
    """What callers may say of a stage, whatever it does."""

    to: int | None = None
    cutoff: float | None = None
    gaps: Sequence[tuple[float, float]] | None = None
    steps: int | None = None
    seed: int = 0
    mix: float = 1.0

    def checked(self) -> "StageOptions":
        """Return the same with every value of its type.

        Raises:
            UsageError: names an argument that makes no sense.
        """
        return StageOptions(
            to=None if self.to is None else rate_of("to", self.to),
            cutoff=None if self.cutoff is None else real_number("cutoff", self.cutoff),
            gaps=None if self.gaps is None else gaps_of(self.gaps),
            steps=None if self.steps is None else whole_number("steps", self.steps, 1, 10_000),
            seed=whole_number("seed", self.seed, 0, (1 << 63) - 1),
            mix=share_of("mix", self.mix),
        )


def _upsampling(source: AudioFormat, options: StageOptions, model: Model) -> Stage:
    if options.to is None:
        raise UsageError("upsample: no result rate: give to=48000")
    request = UpsampleRequest(options.to, options.cutoff, options.steps, options.seed)
    return mixed(model.load("upsample", options.to).stage(source, request), options.mix)


def _decode_restoring(source: AudioFormat, options: StageOptions, model: Model) -> Stage:
    request = DecodeRestoreRequest(seed=options.seed)
    return mixed(model.load("decode-restore", source.rate).stage(source, request), options.mix)


def _inpainting(source: AudioFormat, options: StageOptions, model: Model) -> Stage:
    gaps = None if options.gaps is None else tuple(options.gaps)
    request = InpaintRequest(gaps, options.steps, options.seed)
    return cast(Stage, model.load("inpaint", source.rate).stage(source, request))


def _codec_roundtrip(source: AudioFormat, options: StageOptions, model: Model) -> Stage:
    from audiofix.streaming.roundtrip import RoundTrip

    return RoundTrip(model.load("encode"), source)


_STAGES: Mapping[str, Callable[[AudioFormat, StageOptions, Model], Stage]] = {
    "upsample": _upsampling,
    "decode_restore": _decode_restoring,
    "inpaint": _inpainting,
    "codec_roundtrip": _codec_roundtrip,
}


def opened_stage(verb: str, source: AudioFormat, options: StageOptions, model: Model) -> Stage:
    """Return a fresh stage of a verb, which refuses what is not finite; see `api.open_stage`."""
    if not isinstance(verb, str) or verb not in _STAGES:
        raise UsageError(f"verb {verb!r:.50}: has no stage: use one of {', '.join(_STAGES)}")
    options = options.checked()
    if options.mix != 1 and verb not in ("upsample", "decode_restore"):
        raise UsageError(f"mix={options.mix:g}: is for upsample and decode_restore: leave it out")
    return Guard(_STAGES[verb](source, options, model), finite=verb != "inpaint")
