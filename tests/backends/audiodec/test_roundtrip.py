import tracemalloc

import numpy as np
import pytest
from stages import check_stage, feed, noise
from tiny import tiny_codec

from audiofix.audio.format import AudioFormat


@pytest.fixture(scope="module", params=["zeros", "warm"])
def codec(request):
    return tiny_codec(request.param)


@pytest.mark.parametrize(
    ("source", "use"),
    [
        (AudioFormat(8000, 1), "file"),
        (AudioFormat(8000, 2), "live"),
        (AudioFormat(44100, 1), "file"),
    ],
)
def test_keeps_the_laws(codec, source, use):
    check_stage(
        lambda: codec.roundtrip(source, use),
        lengths=[23, 24, 25, 767, 768, 769, 4099],
        single_samples=200,
    )


def test_memory_does_not_grow(codec):
    trip = codec.roundtrip(AudioFormat(8000, 1))
    chunk = np.zeros((1, 2400), np.float32)
    peaks = []
    tracemalloc.start()
    for chunks in (5, 45):
        tracemalloc.reset_peak()
        for _ in range(chunks):
            trip.push(chunk)
        peaks.append(tracemalloc.get_traced_memory()[1])
    tracemalloc.stop()
    assert peaks[1] < peaks[0] * 1.1 + 10_000


def test_live_sound_comes_out_as_it_goes_in(codec):
    trip = codec.roundtrip(AudioFormat(8000, 1), "live")
    assert trip.latency == 0
    assert [trip.push(noise(1, n)).shape[1] for n in (1, 7, 40, 0, 500)] == [1, 7, 40, 0, 500]


def test_the_trip_is_encoding_and_decoding(codec):
    x = noise(1, 1000)
    encoder, decoder = codec.encoder(AudioFormat(8000, 1)), codec.decoder()
    codes = np.concatenate([encoder.push(x), encoder.flush()], axis=1)
    y = np.concatenate([decoder.push(codes), decoder.flush()], axis=1)
    assert np.array_equal(feed(codec.roundtrip(AudioFormat(8000, 1)), x, [1000]), y[:, :1000])
