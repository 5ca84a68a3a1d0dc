"""The null device gives whatever was in its memory: what is tested is counts, ends and errors."""

import os

import numpy as np
import pytest
from null_device import null_device

from audiofix.audio.devices import Device, Loudspeaker, find_device, open_microphone
from audiofix.audio.format import AudioFormat, empty_chunk
from audiofix.errors import DeviceError


@pytest.fixture(scope="module", autouse=True)
def _null_device(tmp_path_factory):
    """PortAudio looks for devices when it is loaded, which no other test does in this process."""
    with pytest.MonkeyPatch.context() as patch:
        for name, text in null_device(tmp_path_factory.mktemp("alsa")).items():
            patch.setitem(os.environ, name, text)
        import sounddevice  # noqa: F401

        yield


@pytest.mark.parametrize("name", [None, "default", "fau", "0"])
@pytest.mark.parametrize("direction", ["input", "output"])
def test_a_device_is_found_by_part_of_its_name_or_its_number(name, direction):
    device = find_device(name, direction)
    assert (device.index, device.name, device.direction) == (0, "default", direction)
    assert device.channels > 2 and device.rate >= 8000


@pytest.mark.parametrize("name", ["nonsuch", "77"])
def test_an_absent_device_tells_which_there_are(name):
    with pytest.raises(DeviceError, match=f"input device {name}.*name one of default"):
        find_device(name, "input")


@pytest.mark.parametrize("channels", [1, 2])
def test_a_microphone_records_until_it_is_told_to_end(channels):
    asked = iter([False, False, True])
    with open_microphone(
        find_device(None, "input"), [11025], channels, ended=lambda: next(asked)
    ) as source:
        assert source.format == AudioFormat(11025, channels)
        assert (source.samples, source.fault, source.container) == (None, None, "microphone")
        chunks = [source.read(240), source.read(7), source.read(240)]
    assert [chunk.shape for chunk in chunks] == [(channels, 240), (channels, 7), (channels, 0)]
    for chunk in chunks:
        assert chunk.dtype == np.float32 and chunk.flags.c_contiguous
        assert (np.abs(chunk) <= 1).all()


def test_the_first_rate_that_the_device_takes_is_used():
    source = open_microphone(find_device(None, "input"), [10**9, 16000], 1, ended=lambda: True)
    assert source.format.rate == 16000
    source.close()


def test_a_loudspeaker_plays_chunks_of_any_length(caplog):
    with Loudspeaker(find_device(None, "output"), [8000], 2) as speaker:
        assert speaker.format == AudioFormat(8000, 2)
        for samples in (0, 1, 24, 4097):
            speaker.write(np.zeros((2, samples), np.float32))
        speaker.flush()
    assert speaker.under_runs == 0 and not caplog.records
    with pytest.raises(DeviceError, match="default: .*connect it again"):
        speaker.write(np.zeros((2, 1), np.float32))


def test_a_loudspeaker_that_hears_nothing_closes():
    with Loudspeaker(find_device(None, "output"), [8000], 1) as speaker:
        speaker.write(empty_chunk(1))
    assert speaker.under_runs == 0


@pytest.mark.parametrize(
    ("rates", "channels", "reason"), [([10**9], 1, "sample rate"), ([8000], 300, "are too many")]
)
def test_what_a_device_cannot_do(rates, channels, reason):
    with pytest.raises(DeviceError, match=f"^default: .*{reason}"):
        Loudspeaker(find_device(None, "output"), rates, channels)
    with pytest.raises(DeviceError, match=f"^default: .*{reason}"):
        open_microphone(find_device(None, "input"), rates, channels, ended=lambda: True)


def test_a_device_that_is_gone():
    gone = Device(77, "gone", "input", 8000, 1)
    with pytest.raises(DeviceError, match="^gone: .*name another with --device-name"):
        open_microphone(gone, [8000], 1, ended=lambda: True)
