"""What VM-ASR's windows do to its sound: how far it is from one window over the whole recording.

    python tests/bench/windows.py [--model vmasr-small-48k] [--rate 16000] [--seconds 20] FILE...

Prints, for each length of window and of discarded context in frames of 5 ms: the difference's RMS
in the added band over that band's own RMS; the log-spectral distance of that band to the recording;
how much computing the overlap costs; and how late the first sample comes.
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
from audiofix.metrics.spectral import DEFINITIONS, SpectralMeter

FRAMES_PER_SECOND = 200
RATE = 48000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="vmasr-small-48k")
    parser.add_argument("--rate", type=int, default=16000, help="what the recordings are cut to")
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--windows", type=int, nargs="+", default=[128, 256, 512, 1024, 2048])
    parser.add_argument("--contexts", type=int, nargs="+", default=[0, 16, 32, 64])
    parser.add_argument("files", nargs="+")
    options = parser.parse_args()
    model = load("upsample", options.model, place("auto"), rate=RATE)
    originals = [read(name, options.seconds) for name in options.files]
    inputs = [soxr.resample(x, RATE, options.rate, "VHQ") for x in originals]
    longest = max(x.size for x in inputs) / options.rate
    whole_frames = -(-round(longest * FRAMES_PER_SECOND + 1) // 32) * 32
    whole = [restored(model, x, options.rate, whole_frames, 0) for x in inputs]
    distances = [lsd_hf(y, x, options.rate) for y, x in zip(whole, originals, strict=True)]
    print(f"whole recordings: lsd-hf {np.mean(distances):.3f}")
    print(
        f"{'window':>6} {'context':>7} {'difference':>10} {'lsd-hf':>7} {'computing':>9}"
        f" {'first sample':>12}"
    )
    for window in options.windows:
        for context in options.contexts:
            if 4 * context >= window:
                continue
            parts = [restored(model, x, options.rate, window, context) for x in inputs]
            shares = [
                rms(high(p - w, options.rate)) / rms(high(w, options.rate))
                for p, w in zip(parts, whole, strict=True)
            ]
            distances = [lsd_hf(y, x, options.rate) for y, x in zip(parts, originals, strict=True)]
            kept = window - 1 - 2 * context - restore._FADE_HOPS
            print(
                f"{window:>6} {context:>7} {np.mean(shares):>10.1%}"
                f" {np.mean(distances):>7.3f} {window / kept:>8.2f}x"
                f" {(window - 1) / FRAMES_PER_SECOND:>10.2f} s",
                flush=True,
            )


def read(name: str, seconds: float) -> np.ndarray:
    """Return the beginning of a recording's first channel at the model's rate."""
    x, own = soundfile.read(name, dtype="float32", always_2d=True)
    return soxr.resample(x[: round(seconds * own), 0], own, RATE, "VHQ")


def restored(
    model: restore.VMASRRestorer, x: np.ndarray, rate: int, window: int, context: int
) -> np.ndarray:
    """Return what the model makes of a recording."""
    model._window_frames, restore._CONTEXT_HOPS = window, context
    stage = model.stage(AudioFormat(rate, 1), UpsampleRequest(RATE, cutoff_hz=rate / 2))
    return np.concatenate([stage.push(x[None]), stage.flush()], axis=1)[0]


def lsd_hf(y: np.ndarray, x: np.ndarray, rate: int) -> float:
    """Return the log-spectral distance above the input's band."""
    standard = DEFINITIONS["standard"]
    meter = SpectralMeter(standard, RATE, 1, standard.edge_bin(rate / 2, RATE))
    samples = min(x.size, y.size)
    meter.push(y[None, :samples], x[None, :samples])
    return meter.values()["lsd-hf"]


def high(y: np.ndarray, rate: int) -> np.ndarray:
    """Return what lies above the input's band."""
    spectrum = np.fft.rfft(y)
    spectrum[: round(rate / 2 / RATE * y.size)] = 0
    return np.fft.irfft(spectrum, y.size)


def rms(x: np.ndarray) -> float:
    return float(np.sqrt(np.mean(x**2)))


if __name__ == "__main__":
    main()
