"""What `info` says."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
import soundfile
from click.testing import CliRunner

from audiofix.audio.source import open_source
from audiofix.errors import InputError
from audiofix.verbs.info import _line, _print_lines, command, measure


class Silent:
    """A shell that nobody watches."""

    def configure(self, **_: object) -> None:
        pass


@pytest.fixture
def loud(tmp_path: Path) -> Path:
    samples = np.zeros((48000, 2), np.float32)
    samples[100] = (1.5, -1.25)
    path = tmp_path / "loud.wav"
    soundfile.write(path, samples, 16000, subtype="FLOAT")
    return path


def test_measures(loud: Path) -> None:
    with open_source(loud) as source:
        report = measure(source)
    assert (report.container, report.encoding) == ("wav", "f32le")
    assert (report.rate, report.channels, report.samples) == (16000, 2, 48000)
    assert (report.seconds, report.peak, report.over_full_scale) == (3.0, 1.5, 2)
    assert report.fault is None


def test_the_band_of_an_upsampled_recording_is_the_old_one(tmp_path: Path) -> None:
    import soxr

    noise = 0.1 * np.random.default_rng(1).standard_normal(5 * 16000)
    path = tmp_path / "up.wav"
    soundfile.write(path, soxr.resample(noise, 16000, 48000), 48000)
    with open_source(path) as source:
        report = measure(source)
    assert 7200 < report.bandwidth_hz < 8300


def test_json_is_an_object_or_a_list(loud: Path) -> None:
    one = CliRunner().invoke(command, [str(loud), "--json"], obj=Silent())
    two = CliRunner().invoke(command, [str(loud), str(loud), "--json"], obj=Silent())
    assert json.loads(one.stdout)["samples"] == 48000
    assert [each["rate"] for each in json.loads(two.stdout)] == [16000, 16000]


def test_a_folder_has_a_line_for_each_recording(loud: Path) -> None:
    (loud.parent / "deep").mkdir()
    soundfile.write(loud.parent / "deep" / "x.mp3", np.zeros(44100), 44100)
    (loud.parent / "notes.txt").write_text("no sound")
    told = CliRunner().invoke(command, [str(loud.parent)], obj=Silent())
    first, second, total = told.stdout.splitlines()
    assert re.search(r"x\.mp3 +44100 Hz  1 ch  0:00:01\.000 +\d+ kbit/s  mp3  band", first)
    assert re.search(r"loud\.wav +16000 Hz  2 ch  0:00:03\.000 +1024 kbit/s  wav f32le", second)
    assert total == "2 files, 0:00:04.000"
    listed = CliRunner().invoke(command, [str(loud.parent), "--json"], obj=Silent())
    assert [each["samples"] for each in json.loads(listed.stdout)] == [44100, 48000]
    (loud.parent / "none").mkdir()
    empty = CliRunner().invoke(command, [str(loud.parent / "none")], obj=Silent())
    assert "holds no audio" in str(empty.exception)


def test_a_line_is_printed_before_the_next_recording_is_read(loud: Path, capsys) -> None:
    with open_source(loud) as source:
        report = measure(source)

    def told():
        yield report, None
        assert capsys.readouterr().out == _line(report, 10) + "\n"
        yield None, InputError("cut.wav: damaged: fetch it again")

    assert [str(fault) for fault in _print_lines(told(), 10)] == [
        "cut.wav: damaged: fetch it again"
    ]
    assert capsys.readouterr().out == "1 file, 0:00:03.000\n"


def test_text_is_aligned(loud: Path) -> None:
    lines = CliRunner().invoke(command, [str(loud)], obj=Silent()).stdout.splitlines()
    assert {line[12] for line in lines} == {" "}
    assert lines[3] == f"bit rate     {loud.stat().st_size * 8 / 3000:.0f} kbit/s"
    assert lines[6] == "length       48000 samples, 0:00:03.000"
    assert lines[-1] == "peak         1.500000, 2 samples over full scale"
