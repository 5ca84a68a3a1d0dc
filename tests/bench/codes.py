"""What range coding saves, and how fast it is: on .afc files, or on made-up codes without any.

    python tests/bench/codes.py [FILE.afc ...] [--frames 64 128 512]

For each stream and number of frames in a packet: bits per code packed, and range-coded where that
is shorter, both without the packets' heads; what is saved; codes encoded and decoded per second.
"""

import argparse
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from audiofix.codes.entropy import decode_rows, encode_rows
from audiofix.codes.layout import CodeLayout, Codes
from audiofix.codes.payload import encode_payload
from audiofix.codes.reader import CodeReader, Packet

LAYOUT = CodeLayout("made-up", "0" * 16, 48000, 1, 300, 8, 10)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("files", nargs="*", type=Path)
    parser.add_argument("--frames", nargs="+", type=int, default=[64, 128, 512])
    options = parser.parse_args()
    streams = map(read, options.files) if options.files else made_up(8192)
    print(
        f"{'codes':<24} {'frames':>6} {'packed':>7} {'coded':>7} {'saved':>7}"
        f" {'encoded/s':>10} {'decoded/s':>10}"
    )
    for name, layout, codes in streams:
        for frames in options.frames:
            measure(name, layout, codes, frames)


def read(path: Path) -> tuple[str, CodeLayout, Codes]:
    """Return the codes of a file; what is missing in it is left out."""
    with path.open("rb") as file:
        reader = CodeReader(file, str(path))
        codes = [part.codes for part in reader if isinstance(part, Packet)]
    return path.name, reader.layout, np.concatenate(codes, axis=1)


def made_up(frames: int) -> Iterator[tuple[str, CodeLayout, Codes]]:
    """Yield codes from useless to easy: noise, skewed noise, the same with repetitions, silence."""
    rng = np.random.default_rng(0)
    shape = (1, frames, LAYOUT.codebooks)
    yield "uniform", LAYOUT, rng.integers(0, 1024, shape).astype(np.uint16)
    skewed = rng.permutation(1024)[rng.zipf(1.3, shape) % 1024].astype(np.uint16)
    yield "Zipf 1.3", LAYOUT, skewed
    repeating = skewed.copy()
    kept = rng.random(shape) < 0.3
    for frame in range(1, frames):
        repeating[:, frame][kept[:, frame]] = repeating[:, frame - 1][kept[:, frame]]
    yield "Zipf 1.3, 30% repeated", LAYOUT, repeating
    yield "silence", LAYOUT, np.zeros(shape, np.uint16)


def measure(name: str, layout: CodeLayout, codes: Codes, frames: int) -> None:
    """Print the line of one stream and one packet size."""
    coded_bytes = packed_bytes = 0
    encoding = decoding = 0.0
    for start in range(0, codes.shape[1], frames):
        block = codes[:, start : start + frames]
        rows = block.transpose(1, 0, 2).reshape(block.shape[1], -1)
        begun = time.perf_counter()
        coded = encode_rows(rows, layout.bits)
        encoding += time.perf_counter() - begun
        begun = time.perf_counter()
        decoded = decode_rows(coded, layout.bits, rows.shape)
        decoding += time.perf_counter() - begun
        assert np.array_equal(decoded, rows)
        packed_bytes += layout.packed_bytes(block.shape[1])
        coded_bytes += len(encode_payload(block, layout, entropy=True)[1])
    packed_bits, coded_bits = 8 * packed_bytes / codes.size, 8 * coded_bytes / codes.size
    print(
        f"{name[:24]:<24} {frames:>6} {packed_bits:>7.3f} {coded_bits:>7.3f}"
        f" {1 - coded_bytes / packed_bytes:>7.1%}"
        f" {codes.size / encoding:>10.0f} {codes.size / decoding:>10.0f}"
    )


if __name__ == "__main__":
    main()
