"""Everything in audiofix that reads what strangers wrote: good examples of it, and its reader."""

import io
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import soundfile
import torch
from audiofix.trainers.loop_settings import LoopSettings
from audiofix.trainers.run_settings import settings_table
from audiofix.trainers.run_state import fresh_state
from codes.streams import STEREO, random_codes, written
from tiny import tiny_checkpoint
from toy import ToyRecipe

from audiofix.audio.bytestream import ByteStream, open_bytes
from audiofix.audio.source import Source, source_of
from audiofix.backends import systems
from audiofix.checkpoints.archive import extract
from audiofix.checkpoints.catalogue import read_catalogue
from audiofix.codes.reader import CodeReader
from audiofix.settings import read_settings

_MOST_SAMPLES = 1 << 22
"""Of one case: a header may promise more than anybody waits for."""


@dataclass(frozen=True)
class Target:
    """One reader.

    Attributes:
        name: of its kept cases.
        seeds: makes good examples in a folder.
        read: reads bytes, with a folder of its own; raises nothing but `AudiofixError`.
    """

    name: str
    seeds: Callable[[Path], list[bytes]]
    read: Callable[[bytes, Path], None]


def _sounds(folder: Path) -> list[bytes]:
    x = 0.1 * np.random.default_rng(0).standard_normal((700, 2))
    made = []
    for container, subtype in (
        ("WAV", "PCM_16"), ("WAV", "FLOAT"), ("WAV", "IMA_ADPCM"), ("WAVEX", "PCM_24"),
        ("RF64", "PCM_16"), ("W64", "PCM_24"), ("AIFF", "PCM_16"), ("AIFF", "FLOAT"),
        ("AU", "ULAW"), ("CAF", "PCM_16"), ("FLAC", "PCM_16"), ("OGG", "VORBIS"),
        ("OGG", "OPUS"), ("MP3", "MPEG_LAYER_III"),
    ):  # fmt: skip
        file = io.BytesIO()
        soundfile.write(file, x, 48000, subtype, format=container)
        made.append(file.getvalue())
    return made


def _drain(source: Source) -> None:
    with source:
        samples = 0
        while samples < _MOST_SAMPLES and (chunk := source.read(1 << 14)).shape[1]:
            samples += chunk.shape[1]
            assert np.isfinite(chunk).all()


def _read_file(data: bytes, folder: Path) -> None:
    path = folder / "x.bin"
    path.write_bytes(data)
    _drain(source_of(open_bytes(path), str(path)))


def _read_pipe(data: bytes, folder: Path) -> None:
    _drain(source_of(ByteStream(io.BufferedReader(io.BytesIO(data)), None), "pipe"))


def _codes(folder: Path) -> list[bytes]:
    return [written(STEREO, random_codes(STEREO, 60), packet_frames=10)]


def _read_codes(data: bytes, folder: Path) -> None:
    reader = CodeReader(io.BytesIO(data))
    frames = sum(part.frames for part in reader)
    assert frames == reader.frames and reader.layout.seconds(reader.integrity.lost_frames) <= 60


def _checkpoints(folder: Path) -> list[bytes]:
    whole = systems.read_file(tiny_checkpoint(folder / "tiny.safetensors"))
    names = sorted(whole.tensors)[:6]
    few = {name: whole.tensors[name] for name in names} | {
        name: tensor for name, tensor in whole.tensors.items() if tensor.numel() < 40
    }
    systems.write_checkpoint(folder / "few.safetensors", replace(whole, tensors=few))
    made = [(folder / "few.safetensors").read_bytes()]
    for zipped in (True, False):
        torch.save(
            {"state_dict": few, "config": {"a": 1}},
            folder / "x.pth",
            _use_new_zipfile_serialization=zipped,
        )
        made.append((folder / "x.pth").read_bytes())
    return made


def _read_checkpoint(data: bytes, folder: Path) -> None:
    path = folder / "x.pth"
    path.write_bytes(data)
    systems.load("upsample", str(path), systems.Placement(torch.device("cpu")))


def _archives(folder: Path) -> list[bytes]:
    import zipfile

    made = []
    for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w", method) as archive:
            archive.writestr("a/x.pth", bytes(range(256)) * 4)
            archive.writestr("b.txt", "text")
        made.append(file.getvalue())
    return made


def _read_archive(data: bytes, folder: Path) -> None:
    (folder / "x.zip").write_bytes(data)
    extract(folder / "x.zip", "x.pth", folder / "x.pth")


def _tables(folder: Path) -> list[bytes]:
    catalogue = Path(systems.__file__).parents[1] / "checkpoints" / "catalogue.toml"
    return [part.encode() for part in catalogue.read_text().split("\n\n")[1:20]]


def _read_table(data: bytes, folder: Path) -> None:
    read_catalogue(data.decode(errors="replace"))


def _settings(folder: Path) -> list[bytes]:
    return [b'{"loop": {"steps": 3, "seed": 1}}', b'{"settings": {"steps": 3}}', b"{}"]


def _read_settings(data: bytes, folder: Path) -> None:
    text = data.decode(errors="replace")
    try:
        table = settings_table(text)
    except (ValueError, LookupError, TypeError):  # its caller makes a SettingsError of these
        return
    read_settings(LoopSettings, table)


def _states(folder: Path) -> list[bytes]:
    fresh_state(ToyRecipe(), LoopSettings(steps=1)).save(folder)
    return [(folder / "last.pt").read_bytes()]


def _read_state(data: bytes, folder: Path) -> None:
    (folder / "last.pt").write_bytes(data)
    fresh_state(ToyRecipe(), LoopSettings(steps=1)).load(folder)


TARGETS = (
    Target("sound-file", _sounds, _read_file),
    Target("sound-pipe", _sounds, _read_pipe),
    Target("codes", _codes, _read_codes),
    Target("checkpoint", _checkpoints, _read_checkpoint),
    Target("archive", _archives, _read_archive),
    Target("catalogue", _tables, _read_table),
    Target("settings", _settings, _read_settings),
    Target("state", _states, _read_state),
)
