"""Microphone and loudspeaker through PortAudio (the extra `live`), as a source and a sink."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Literal

import numpy as np
from numpy.typing import DTypeLike, NDArray

from audiofix.audio.format import AudioFormat, Chunk, empty_chunk
from audiofix.audio.source import Source
from audiofix.audio.tags import Tags
from audiofix.errors import DeviceError, InputError, UsageError

log = logging.getLogger(__name__)

Direction = Literal["input", "output"]

_INTEGER_SCALE = np.float32(2.0**-31)


@dataclass(frozen=True, slots=True)
class Device:
    """One sound device, in one direction.

    Attributes:
        index: PortAudio's number of it.
        name: what messages call it.
        direction: whether it records or plays.
        rate: the samples per second that it prefers.
        channels: the most that it has.
    """

    index: int
    name: str
    direction: Direction
    rate: int
    channels: int


def find_device(name: str | None, direction: Direction) -> Device:
    """Return the device whose name contains `name` or whose number it is; None: the system's own.

    Raises:
        UsageError: the extra `live` or PortAudio is not installed.
        DeviceError: there is no such device.
    """
    sounddevice = _sounddevice()
    wanted = int(name) if name is not None and name.isdecimal() else name
    try:
        found = sounddevice.query_devices(wanted, direction)
    except (ValueError, sounddevice.PortAudioError) as error:
        what = f"{direction} device" if name is None else f"{direction} device {name}"
        known = [
            device["name"]
            for device in sounddevice.query_devices()
            if device[f"max_{direction}_channels"]
        ]
        advice = f"name one of {', '.join(known)}" if known else "connect one"
        raise DeviceError(f"{what}: not found, or not only one: {advice}") from error
    channels = found[f"max_{direction}_channels"]
    if not channels:
        raise DeviceError(f"{found['name']}: has no {direction}: name another with --device-name")
    rate = round(found["default_samplerate"])
    return Device(found["index"], found["name"], direction, rate, channels)


def open_microphone(
    device: Device, rates: Sequence[int], channels: int, *, ended: Callable[[], bool]
) -> Source:
    """Open a source that records from its first read on.

    Args:
        device: records.
        rates: samples per second; the first that the device takes is used.
        channels: to record.
        ended: asked before each read; once it is true the recording is at its end.

    Raises:
        DeviceError: the device takes none of the rates, or is in use.
    """
    stream, audio = _open_stream(device, rates, channels)
    return Source(device.name, "microphone", _MicrophoneReader(stream, audio, ended), Tags())


class _MicrophoneReader:
    """Reads what was recorded. Integers, as converters make them: they cannot be NaN."""

    samples: int | None = None
    encoding = "s32le"

    def __init__(self, stream: Any, audio: AudioFormat, ended: Callable[[], bool]) -> None:
        self.audio = audio
        self.fault: InputError | None = None
        self._stream = stream
        self._ended = ended
        self._over_runs = 0

    def read(self, samples: int, dtype: DTypeLike = np.float32) -> NDArray[Any]:
        if self._ended():
            return empty_chunk(self.audio.channels)
        try:
            if self._stream.stopped:
                self._stream.start()
            integers, over_run = self._stream.read(samples)
        except _sounddevice().PortAudioError as error:
            self.fault = InputError(f"{_reason(error)}: connect it again")
            return empty_chunk(self.audio.channels)
        self._over_runs += over_run
        return np.ascontiguousarray(integers.T * _INTEGER_SCALE, dtype)

    def skip(self, samples: int) -> int:
        del samples
        return 0

    def close(self) -> None:
        self._stream.close()
        if self._over_runs:
            log.warning("microphone: %d over-runs: samples were lost there", self._over_runs)


class Loudspeaker:
    """A sink that plays. Use it in a `with`: it ends with the last sample, or at an exception.

    Attributes:
        format: what it plays.
        under_runs: how often nothing was there to be played.
    """

    def __init__(self, device: Device, rates: Sequence[int], channels: int) -> None:
        """Open a device; it plays from the first write on.

        Args:
            device: plays.
            rates: samples per second; the first that the device takes is used.
            channels: to play.

        Raises:
            DeviceError: the device takes none of the rates, or is in use.
        """
        self._stream, self.format = _open_stream(device, rates, channels)
        self._name = device.name
        self.under_runs = 0

    def write(self, chunk: Chunk) -> None:
        """Play samples `[channels, n]` after those before them; waits while the device is full.

        Raises:
            DeviceError: the device is gone.
        """
        if not chunk.shape[1]:
            return
        try:
            begins = self._stream.stopped
            if begins:
                self._stream.start()
            under_run = self._stream.write(np.ascontiguousarray(chunk.T))
        except _sounddevice().PortAudioError as error:
            raise DeviceError(f"{self._name}: {_reason(error)}: connect it again") from error
        # Before the first sample there was nothing to play, which is no fault.
        self.under_runs += under_run and not begins

    def flush(self) -> None:
        """Do nothing: what is written is played at once."""

    def __enter__(self) -> "Loudspeaker":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if kind is None and not self._stream.stopped:
            self._stream.stop()  # after the last sample; `close` alone would cut it off
        self._stream.close()
        if self.under_runs:
            log.warning("%s: %d under-runs: the sound was interrupted", self._name, self.under_runs)


def _open_stream(device: Device, rates: Sequence[int], channels: int) -> tuple[Any, AudioFormat]:
    """Return a stream that is not started yet, and what it carries."""
    if channels > device.channels:
        raise DeviceError(f"{device.name}: has {device.channels} channels: {channels} are too many")
    sounddevice = _sounddevice()
    recording = device.direction == "input"
    kind = sounddevice.InputStream if recording else sounddevice.OutputStream
    reason = ""
    for rate in rates:
        try:
            stream = kind(
                samplerate=rate,
                channels=channels,
                device=device.index,
                dtype="int32" if recording else "float32",
                latency="high",  # The low one breaks up as soon as anything else computes.
            )
        except sounddevice.PortAudioError as error:
            reason = reason or _reason(error)
        else:
            return stream, AudioFormat(rate, channels)
    raise DeviceError(f"{device.name}: {reason}: name another with --device-name")


def _sounddevice() -> Any:
    try:
        import sounddevice
    except ImportError as error:
        raise UsageError(
            "microphone and loudspeaker: sounddevice is not installed: pip install 'audiofix[live]'"
        ) from error
    except OSError as error:
        raise UsageError(
            f"microphone and loudspeaker: {error}: install PortAudio (Debian: libportaudio2)"
        ) from error
    return sounddevice


def _reason(error: Exception) -> str:
    """Return PortAudio's own words, without what sounddevice puts around them."""
    words = str(error.args[0]).removeprefix("Error opening InputStream: ")
    return words.removeprefix("Error opening OutputStream: ").partition(" [")[0]
