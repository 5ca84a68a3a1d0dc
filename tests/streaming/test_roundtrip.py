import tracemalloc
from dataclasses import replace

import numpy as np
import pytest
from stages import check_stage, feed, noise
from tiny import tiny_codec

from audiofix.audio.format import AudioFormat
from audiofix.streaming.decoding import Decoding
from audiofix.streaming.roundtrip import RoundTrip

HOP = 24


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
        lambda: RoundTrip(codec, source, use),
        lengths=[23, 24, 25, 767, 768, 769, 4099],
        single_samples=200,
    )


def test_memory_does_not_grow(codec):
    trip = RoundTrip(codec, AudioFormat(8000, 1))
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


def test_live_sound_comes_out_as_it_goes_in_but_for_a_frame(codec):
    trip = RoundTrip(codec, AudioFormat(8000, 1), "live")
    assert trip.latency == HOP + 4
    came = np.cumsum([trip.push(noise(1, n)).shape[1] for n in (1, 23, 24, 40, 0, 500)])
    # A code is out with the first sample of its hop, and its sound but for a frame and 4 samples.
    assert list(came) == [0, 0, 48 - 28, 96 - 28, 96 - 28, 600 - 28]


@pytest.mark.parametrize("books", [None, 2])
def test_the_trip_is_encoding_and_decoding(codec, books):
    x = noise(2, 1000)
    source = AudioFormat(11025, 2)
    encoder = codec.encoder(source)
    codes = np.concatenate([encoder.push(x), encoder.flush()], axis=1)[:, :, :books]
    layout = replace(codec.layout, channels=2, source_rate=11025)
    decoding = Decoding(layout, lambda: codec.decoder(2))
    y = np.concatenate([decoding.push(codes), decoding.finish(1000)], axis=1)
    assert np.array_equal(feed(RoundTrip(codec, source, codebooks=books), x, [1000]), y)


def test_another_decoder_of_the_same_codes(codec):
    source, x = AudioFormat(8000, 1), noise(1, 1000)
    other = tiny_codec(vocoded=True)
    own, theirs = (
        feed(RoundTrip(codec, source, decoder=decoder), x, [1000])
        for decoder in (None, lambda: other.decoder(1))
    )
    assert own.shape == theirs.shape and not np.array_equal(own, theirs)
