"""What VM-ASR's windows do to its sound: how far it is from one window over the whole recording.

    python tests/bench/windows.py [--model vmasr-small-48k] [--rate 16000] [--seconds 20] FILE...

Prints, for each length of window and of discarded context in frames of 5 ms, the difference's RMS
in the added band over that band's own RMS, the multiply of computing that the overlap costs, and
how late the first sample comes.
"""

import argparse

import numpy as np
import soundfile
import soxr

from audiofix.audio.format import AudioFormat
from audiofix.backends.placement import place
from audiofix.backends.systems import load
from audiofix.backends.tasks import UpsampleRequest
from audiofix.backends.vmasr import restore

WINDOWS = (256, 512, 1024, 2048)
CONTEXTS = (0, 16, 32, 64, 128, 256)
FRAMES_PER_SECOND = 200


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="vmasr-small-48k")
    parser.add_argument("--rate", type=int, default=16000, help="what the recordings are cut to")
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("files", nargs="+")
    options = parser.parse_args()
    model = load("upsample", options.model, place("auto"), rate=48000)
    inputs = [narrow(name, options.rate, options.seconds) for name in options.files]
    longest = max(x.size for x in inputs) / options.rate
    whole_frames = -(-round(longest * FRAMES_PER_SECOND + 1) // 32) * 32
    whole = [added(model, x, options.rate, whole_frames, 0) for x in inputs]
    print(f"{'window':>6} {'context':>7} {'difference':>10} {'computing':>9} {'first sample':>12}")
    for window in WINDOWS:
        for context in CONTEXTS:
            if 4 * context >= window:
                continue
            parts = [added(model, x, options.rate, window, context) for x in inputs]
            shares = [rms(p - w) / rms(w) for p, w in zip(parts, whole, strict=True)]
            kept = window - 1 - 2 * context - restore._FADE_HOPS
            print(
                f"{window:>6} {context:>7} {np.mean(shares):>10.1%} {window / kept:>8.2f}x"
                f" {(window - 1) / FRAMES_PER_SECOND:>10.2f} s",
                flush=True,
            )


def narrow(name: str, rate: int, seconds: float) -> np.ndarray:
    """Return the first channel's beginning at a lower rate."""
    x, own = soundfile.read(name, dtype="float32", always_2d=True, frames=-1)
    return soxr.resample(x[: round(seconds * own), 0], own, rate, "VHQ")


def added(model: object, x: np.ndarray, rate: int, window: int, context: int) -> np.ndarray:
    """Return what the model adds above the input's band."""
    restore._WINDOW_FRAMES, restore._CONTEXT_HOPS = window, context
    stage = model.stage(AudioFormat(rate, 1), UpsampleRequest(48000, cutoff_hz=rate / 2))
    y = np.concatenate([stage.push(x[None]), stage.flush()], axis=1)[0]
    spectrum = np.fft.rfft(y)
    spectrum[: round(rate / 2 / 48000 * y.size)] = 0
    return np.fft.irfft(spectrum, y.size)


def rms(x: np.ndarray) -> float:
    return float(np.sqrt(np.mean(x**2)))


if __name__ == "__main__":
    main()
