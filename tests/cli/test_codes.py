"""What `info` says of codes, through the command line."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from cli.commands import Run
from codes.streams import STEREO, packets_of, random_codes, written

from audiofix.codes.report import clock

LAYOUT = replace(STEREO, source_rate=44100)
STREAM = written(
    LAYOUT, random_codes(LAYOUT, 160), 44000, packet_frames=16, tags={"title": ["Lied"]}
)
PACKETS = packets_of(STREAM)


@pytest.fixture
def whole(tmp_path: Path) -> Path:
    path = tmp_path / "whole.afc"
    path.write_bytes(STREAM)
    return path


@pytest.fixture
def damaged(tmp_path: Path) -> Path:
    path = tmp_path / "damaged.afc"
    path.write_bytes(b"".join([*PACKETS[:5], PACKETS[5][:-1] + b"\0", *PACKETS[7:]]))
    return path


def test_whole_codes(audiofix: Run, whole: Path) -> None:
    done = audiofix("info", whole)
    assert (done.returncode, done.stderr) == (0, b"")
    lines = dict(line.split(maxsplit=1) for line in done.stdout.decode().splitlines())
    kilobits = 8 * len(STREAM) / (44000 / 44100) / 1000
    assert lines == {
        "input": str(whole),
        "container": "afc",
        "model": "audiodec-test (0123456789abcdef)",
        "rate": "44100 Hz",
        "channels": "2",
        "length": "44000 samples, 0:00:00.998",
        "codes": "8 codebooks of 10 bits, 160 frames",
        "bitrate": f"{kilobits:.3f} kbit/s (25.600 of bare codes)",
        "packets": "10 whole",
        "gaps": "0, 0 frames lost",
        "title": "Lied",
    }


def test_a_pipe_tells_the_same_as_the_file(audiofix: Run, whole: Path) -> None:
    by_name = json.loads(audiofix("info", "--json", whole).stdout)
    piped = json.loads(audiofix("info", "--json", stdin=STREAM).stdout)
    assert {**piped, "name": str(whole)} == by_name
    assert (piped["name"], piped["samples"], piped["fault"]) == ("standard input", 44000, None)
    assert (piped["packets"], piped["gaps"], piped["tags"]) == (10, [], {"title": ["Lied"]})


def test_damage_is_told_and_then_exits_with_3(audiofix: Run, damaged: Path) -> None:
    done = audiofix("info", damaged)
    assert done.returncode == 3
    lines = done.stdout.decode().splitlines()
    size = len(PACKETS[5])
    assert lines[8] == f"packets      8 whole, {size} bytes damaged in 1 place"
    assert lines[9] == "gaps         1, 32 frames lost"
    assert done.stderr.decode() == (
        f"audiofix: {damaged}: 32 frames (0.200 s) lost in 1 gap, "
        f"{size} bytes damaged in 1 place: get the file again\n"
    )


def test_damage_in_json(audiofix: Run, damaged: Path) -> None:
    done = audiofix("info", "--json", damaged)
    told = json.loads(done.stdout)
    assert done.returncode == 3
    assert (told["gaps"], told["gap_count"], told["lost_frames"]) == ([[0.3, 0.2]], 1, 32)
    assert (told["damages"], told["packets"], told["samples"]) == (1, 8, 44000)
    assert told["fault"].startswith(str(damaged))


def test_a_cut_pipe(audiofix: Run) -> None:
    done = audiofix("info", "--json", stdin=b"".join(PACKETS[:6]))
    told = json.loads(done.stdout)
    assert (done.returncode, told["samples"], told["seconds"]) == (3, None, 0.4)


def test_a_damaged_first_byte_costs_nothing(audiofix: Run) -> None:
    done = audiofix("info", "--json", stdin=b"a" + STREAM[1:])
    told = json.loads(done.stdout)
    assert (done.returncode, told["packets"], told["gap_count"]) == (3, 10, 0)
    assert told["skipped_bytes"] == len(PACKETS[0])


def test_codes_without_a_header(audiofix: Run) -> None:
    done = audiofix("info", stdin=b"".join(PACKETS[2:]))
    assert (done.returncode, done.stdout) == (3, b"")
    assert done.stderr == b"audiofix: standard input: its header is damaged: get the file again\n"


def test_codes_and_sound_in_one_list(audiofix: Run, whole: Path, damaged: Path) -> None:
    sound = Path(__file__).parent.parent / "audio/bad/one-sample.wav"
    done = audiofix("info", "--json", whole, sound, damaged)
    told = json.loads(done.stdout)
    assert [each["container"] for each in told] == ["afc", "wav", "afc"]
    assert done.returncode == 7


def test_clock() -> None:
    assert (clock(3661.5), clock(0)) == ("1:01:01.500", "0:00:00.000")
