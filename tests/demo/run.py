"""`make demo`: one sentence, worsened in four ways and restored by four verbs; and a spoken digit.

The recording is sentence 3 of VCTK speaker p234 (CC BY 4.0), at 48 kHz and brought down to 16 kHz.
No model that ships with audiofix was trained on that speaker.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import soundfile

from audiofix import read
from audiofix.audio.lossy import Coding, encoded

HERE = Path(os.path.relpath(Path(__file__).parent))
ORIGINAL, NARROW = HERE / "speech48k.flac", HERE / "speech16k.flac"
OUTPUT = Path("demo-output")
LOWEST_DB, LOUDEST_DB = -140, -40


def audiofix(*words: object) -> str:
    """Run the command that a user would type, show it, and return what it printed."""
    print("$ audiofix", *words, flush=True)
    command = [sys.executable, "-m", "audiofix", *map(str, words)]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def damage(source: Path, result: Path) -> None:
    """Write a recording with two dropouts, a held sample and a click."""
    samples, rate = soundfile.read(source, dtype="int16")
    loud = int(np.argmax(np.convolve(np.abs(samples.astype(float)), np.ones(rate), "valid")))
    for start, seconds in ((0.1, 0.06), (0.7, 0.015)):
        place = loud + round(start * rate)
        samples[place : place + round(seconds * rate)] = 0
    place = loud + round(0.45 * rate)
    samples[place : place + 200] = samples[place]
    samples[loud + round(1.1 * rate)] = 30000
    soundfile.write(result, samples, rate)


def draw(picture: Path, top_hz: float, **sounds: Path) -> None:
    """Draw the spectrograms of recordings on one scale of time, frequency and level."""
    height = 3.2 * len(sounds) + 0.8
    figure, panels = plt.subplots(
        len(sounds), 1, figsize=(10, height), sharex=True, squeeze=False, layout="constrained"
    )
    for panel, (title, path) in zip(panels[:, 0], sounds.items(), strict=True):
        samples, rate = read(path)
        size = 1024 * rate // 48000
        panel.set_facecolor(plt.get_cmap("magma")(0.0))  # digital silence has no level
        with np.errstate(divide="ignore"):
            panel.specgram(
                samples[0], NFFT=size, noverlap=size * 3 // 4, Fs=rate, cmap="magma",
                vmin=LOWEST_DB, vmax=LOUDEST_DB,
            )  # fmt: skip
        words = f"{title}: {path.name}, {rate} Hz, {samples.shape[1]} samples"
        panel.set(ylim=(0, top_hz), ylabel="Hz", title=words)
    panels[-1, 0].set_xlabel("seconds")
    figure.savefig(picture, dpi=100)
    plt.close(figure)


def compare(before: Path | None, after: Path, original: Path) -> None:
    """Print how far what was given, and what came of it, are from the original."""
    given = ("--input", before) if before else ()
    report = audiofix("eval", original, after, *given, "--metrics", "lsd,snr", "--json", "-")
    for result in json.loads(report)["results"]:
        name = "given" if result["method"] == "input" else "result"
        lsd, snr = result["scores"]["lsd"], result["scores"]["snr"]
        print(f"  {name:<7} log-spectral distance {lsd:.3f} (lower is nearer), SNR {snr:.2f} dB")


def restore(sentence: str, before: Path, original: Path, verb: str, *options: str) -> None:
    """Let a verb restore a recording; print figures and draw it beside the original."""
    print(f"\n{sentence}")
    after, picture = OUTPUT / f"{verb}.wav", OUTPUT / f"{verb}.png"
    audiofix(verb, before, *options, "-o", after, "--overwrite")
    compare(before, after, original)
    top_hz = soundfile.info(original).samplerate / 2
    draw(picture, top_hz, given=before, result=after, original=original)
    print(f"  sound   {after}\n  picture {picture}")


def main() -> None:
    """Make the sounds and the pictures, and say where they are."""
    print("One sentence, worsened in four ways and restored by four verbs; and a digit, spoken.")
    OUTPUT.mkdir(exist_ok=True)
    coded, damaged = OUTPUT / "speech.mp3", OUTPUT / "damaged.wav"
    samples, rate = read(ORIGINAL)
    coded.write_bytes(encoded(samples, rate, Coding("mp3", 48)))
    damage(NARROW, damaged)
    restore(
        "A recording at 16 kHz gets its high band:", NARROW, ORIGINAL, "upsample", "--to", "48k"
    )
    restore("An MP3 of 48 kbit/s gets back what coding took:", coded, ORIGINAL, "decode-restore")
    restore("Two dropouts, a held sample and a click are filled:", damaged, NARROW, "inpaint")

    print(
        "\nThe codec sends the recording at 16 kHz in a few kilobits a second; it chooses its own"
    )
    print("phases, so that the SNR says nothing of how it sounds:")
    codes, decoded = OUTPUT / "speech.afc", OUTPUT / "decode.wav"
    audiofix("encode", NARROW, "-o", codes, "--overwrite")
    audiofix("decode", codes, "-o", decoded, "--overwrite")
    seconds = samples.shape[1] / rate
    print(f"  {codes.stat().st_size} bytes, {codes.stat().st_size * 8 / 1000 / seconds:.1f} kbit/s")
    compare(None, decoded, NARROW)
    draw(OUTPUT / "decode.png", 8000, result=decoded, original=NARROW)
    print(f"  sound   {decoded}\n  picture {OUTPUT / 'decode.png'}")

    print("\nA digit is spoken that nobody said:")
    word, spoken = OUTPUT / "generate.wav", OUTPUT / "generate.png"
    audiofix("generate", "--seed", "3", "--level", "-6", "-o", word, "--overwrite")
    draw(spoken, 4000, result=word)
    print(f"  sound   {word}\n  picture {spoken}")


if __name__ == "__main__":
    main()
