from dataclasses import replace

import pytest
from codes.streams import LAYOUT, STEREO

from audiofix.errors import InputError


@pytest.mark.parametrize(
    "wrong",
    [
        {"model": ""}, {"model": "x" * 201}, {"model": "a\nb"}, {"model": "\x1b[31m"},
        {"model": None}, {"model": "\ud800"}, {"checkpoint": "0123"}, {"checkpoint": None},
        {"checkpoint": "0123456789ABCDEF"}, {"checkpoint": "0123456789abcdef\n"},
        {"rate": 0}, {"rate": 1 << 25},
        {"rate": 48000.0}, {"rate": "48000"}, {"channels": 0}, {"channels": 257},
        {"channels": True}, {"hop": 0}, {"hop": -300}, {"hop": 1 << 21}, {"codebooks": 0},
        {"codebooks": 65}, {"bits": 0}, {"bits": 17}, {"bits": None}, {"source_rate": 0},
        {"rate": 10**1000},
    ],
)  # fmt: skip
def test_refuses_what_no_codec_has(wrong):
    with pytest.raises(InputError) as caught:
        replace(LAYOUT, **wrong)
    message = str(caught.value)
    assert message.startswith("code layout: ") and "\n" not in message and len(message) < 150


def test_figures():
    assert LAYOUT.bits_per_second == 12800
    assert (STEREO.codes(3), STEREO.packed_bytes(3)) == (48, 60)
    assert replace(LAYOUT, codebooks=1, bits=3).packed_bytes(3) == 2
    assert LAYOUT.seconds(160) == 1


def test_the_sound_may_have_another_rate_than_the_codec():
    assert (LAYOUT.sound_rate, replace(LAYOUT, source_rate=44100).sound_rate) == (48000, 44100)


@pytest.mark.parametrize("source_rate", [8000, 44100, 48000, 96000, 192000, 11025])
@pytest.mark.parametrize("frames", [0, 1, 2, 77])
def test_most_samples_is_what_just_fits_after_resampling(source_rate, frames):
    layout = replace(LAYOUT, source_rate=source_rate)
    most = layout.most_samples(frames)

    def at_model_rate(samples):  # halves up, as contract.md promises
        return (2 * samples * layout.rate + source_rate) // (2 * source_rate)

    assert at_model_rate(most) <= frames * layout.hop < at_model_rate(most + 1)
