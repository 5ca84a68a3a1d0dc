"""What the shipped codec makes of noisy speech and of clean, beside Opus at the nearest bit rate.

    python tests/bench/noisy_codec.py SPEECH... [--snr none 20 10 5 0 -5] [--against noisy]

Means over files of STOI, PESQ-WB and ViSQOL in its speech mode, at 16 kHz, each coded recording
brought in time with what it is measured against: the noisy recording, which a codec shall keep, or
the clean one, which people listen for. The noise is white. ViSQOL needs `visqol-python`.
"""

import argparse
from pathlib import Path

import numpy as np
import soundfile
import soxr

import audiofix
from audiofix.audio.opus import through_opus
from audiofix.metrics.alignment import advanced, delay
from audiofix.metrics.perceptual import pesq, stoi

RATE = 16000
BITS_PER_SECOND = 6400


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("speech", nargs="+", type=Path)
    parser.add_argument("--snr", nargs="+", default=["none", "20", "10", "5", "0", "-5"])
    parser.add_argument("--against", choices=["noisy", "clean"], default="noisy")
    options = parser.parse_args()
    sounds = [speech(path) for path in options.speech]
    print("SNR dB  method     STOI   PESQ  ViSQOL")
    for snr in options.snr:
        given = [noisy(clean, snr, seed) for seed, clean in enumerate(sounds)]
        wanted = given if options.against == "noisy" else sounds
        for name, method in METHODS.items():
            made = [method(x) for x in given]
            means = np.mean([judged(y, x) for y, x in zip(made, wanted, strict=True)], axis=0)
            print(f"{snr:>6}  {name:8} {means[0]:6.3f} {means[1]:6.2f} {means[2]:7.2f}", flush=True)


def speech(path: Path) -> np.ndarray:
    """A recording at 16 kHz, `[1, samples]`."""
    sound, rate = soundfile.read(path, dtype="float32", always_2d=True)
    return soxr.resample(sound[:, :1], rate, RATE, "VHQ").T


def noisy(clean: np.ndarray, snr: str, seed: int) -> np.ndarray:
    """The recording with white noise so many dB below it."""
    if snr == "none":
        return clean
    noise = np.random.default_rng(seed).standard_normal(clean.shape).astype(np.float32)
    return clean + noise * np.float32(clean.std() * 10 ** (-float(snr) / 20))


def codec(x: np.ndarray) -> np.ndarray:
    return audiofix.decode(audiofix.encode(x, RATE))


METHODS = {
    "input": lambda x: x,
    "codec": codec,
    "opus": lambda x: through_opus(x, RATE, BITS_PER_SECOND)[0],
}


def judged(made: np.ndarray, wanted: np.ndarray) -> tuple[float, float, float]:
    """STOI, PESQ-WB and ViSQOL of what was made."""
    from visqol import VisqolApi

    made = advanced(made, delay(made, wanted, RATE // 50))
    judge = VisqolApi()
    judge.create(mode="speech")
    quality = judge.measure_from_arrays(wanted[0], made[0], RATE).moslqo
    return stoi(made, wanted, RATE), pesq(made, wanted, RATE), float(quality)


if __name__ == "__main__":
    main()
