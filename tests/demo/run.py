"""`make demo`: restore a 16 kHz recording, an MP3 and a damaged file, and speak a digit; draw them.

The recording is sentence 3 of VCTK speaker p234 (CC BY 4.0), brought down to 16 kHz. No model that
ships with audiofix was trained on that speaker. The MP3 is made of its result, on the spot.
"""

import subprocess
import sys
from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import soundfile

HERE = Path(__file__).parent
RECORDING = HERE / "speech16k.flac"
OUTPUT = Path("demo-output")
LOWEST_DB = -110


def audiofix(verb: str, source: Path | None, result: Path, *options: str) -> None:
    """Run the command that a user would type, and show it."""
    arguments = [
        verb,
        *([str(source)] if source else []),
        *options,
        "-o",
        str(result),
        "--overwrite",
        "-v",
    ]
    print("$ audiofix", *arguments, flush=True)
    subprocess.run([sys.executable, "-m", "audiofix", *arguments], check=True)


def damage(source: Path, result: Path) -> None:
    """Write a recording with two dropouts, a held sample and a click."""
    samples, rate = soundfile.read(source, dtype="int16")
    loud = int(np.argmax(np.convolve(np.abs(samples.astype(float)), np.ones(rate), "valid")))
    for start, seconds in ((0.1, 0.06), (0.7, 0.015)):
        place = loud + round(start * rate)
        samples[place : place + round(seconds * rate)] = 0
    place = loud + round(0.45 * rate)
    samples[place : place + 200] = samples[place]
    samples[loud + round(0.9 * rate)] = 30000
    soundfile.write(result, samples, rate)


def draw(before: Path, after: Path, picture: Path) -> None:
    """Draw both spectrograms on one scale of time, frequency and level."""
    figure, panels = plt.subplots(2, 1, figsize=(10, 8), sharex=True, layout="constrained")
    top_hz = soundfile.info(after).samplerate / 2
    for panel, path, title in zip(panels, (before, after), ("before", "after"), strict=True):
        samples, rate = soundfile.read(path, dtype="float32")
        size = 1024 * rate // 48000
        panel.set_facecolor(plt.get_cmap("magma")(0.0))
        with np.errstate(divide="ignore"):
            panel.specgram(
                samples,
                NFFT=size,
                noverlap=size * 3 // 4,
                Fs=rate,
                cmap="magma",
                vmin=LOWEST_DB - 30,
                vmax=-40,
            )
        panel.set(
            ylim=(0, top_hz), ylabel="Hz", title=f"{title}: {rate} Hz, {samples.size} samples"
        )
    panels[1].set_xlabel("seconds")
    figure.savefig(picture, dpi=100)


def draw_word(path: Path, picture: Path) -> None:
    """Draw the spectrogram of a word up to 4 kHz, where its band ends."""
    samples, rate = soundfile.read(path, dtype="float32")
    figure, panel = plt.subplots(figsize=(6, 4), layout="constrained")
    panel.set_facecolor(plt.get_cmap("magma")(0.0))  # digital silence has no level
    with np.errstate(divide="ignore"):
        panel.specgram(samples, NFFT=512, noverlap=448, Fs=rate, cmap="magma", vmin=-120, vmax=-40)
    panel.set(ylim=(0, 4000), xlabel="seconds", ylabel="Hz", title="generated digit")
    figure.savefig(picture, dpi=100)


def main() -> None:
    """Make the sound and the picture, and say where they are."""
    OUTPUT.mkdir(exist_ok=True)
    full = OUTPUT / "speech48k.wav"
    audiofix("upsample", RECORDING, full, "--to", "48k")
    coded, restored = OUTPUT / "speech.mp3", OUTPUT / "restored.wav"
    samples, rate = soundfile.read(full)
    # Mono at 48 kHz: 56 kbit/s.
    soundfile.write(coded, samples, rate, compression_level=0.9, bitrate_mode="CONSTANT")
    audiofix("decode-restore", coded, restored)
    damaged, mended = OUTPUT / "damaged.wav", OUTPUT / "mended.wav"
    damage(RECORDING, damaged)
    audiofix("inpaint", damaged, mended)
    word, spoken = OUTPUT / "digit.wav", OUTPUT / "digit.png"
    audiofix("generate", None, word, "--seed", "3", "--level", "-6")
    draw_word(word, spoken)
    print(f"\nsound:   {word}\npicture: {spoken}")
    for before, after, name in (
        (RECORDING, full, "upsample"),
        (coded, restored, "decode-restore"),
        (damaged, mended, "inpaint"),
    ):
        picture = OUTPUT / f"{name}.png"
        draw(before, after, picture)
        print(f"\nsound:   {after}\npicture: {picture}")


if __name__ == "__main__":
    main()
