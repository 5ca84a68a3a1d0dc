import numpy as np
import pytest
from stages import cuts, noise
from tiny import tiny_codec

from audiofix.audio.format import AudioFormat
from audiofix.errors import InputError, UsageError

STARTS = ["zeros", "replicate", "warm"]
USES = ["file", "live"]
HOP = 24


@pytest.fixture(scope="module", params=STARTS)
def codec(request):
    return tiny_codec(request.param, vocoded=request.param == "warm")


def encode(codec, x, sizes, use, rate=8000):
    encoder = codec.encoder(AudioFormat(rate, len(x)), use)
    starts = np.cumsum([0, *sizes])
    parts = [encoder.push(x[:, a:b]) for a, b in zip(starts[:-1], starts[1:], strict=True)]
    return np.concatenate([*parts, encoder.flush()], axis=1)


def decode(codec, codes, sizes, use):
    decoder = codec.decoder(len(codes), use)
    starts = np.cumsum([0, *sizes])
    parts = [decoder.push(codes[:, a:b]) for a, b in zip(starts[:-1], starts[1:], strict=True)]
    return np.concatenate([*parts, decoder.flush()], axis=1)


@pytest.mark.parametrize("use", USES)
@pytest.mark.parametrize("samples", [0, 1, 23, 24, 25, 1535, 1536, 1537, 2003])
def test_any_cut_gives_the_same_codes_and_the_same_bits(codec, samples, use):
    x = noise(2, samples)
    codes = encode(codec, x, [samples], use)
    assert codes.shape == (2, -(-samples // HOP), 3) and codes.dtype == np.uint16
    y = decode(codec, codes, [codes.shape[1]], use)
    assert y.shape == (2, codes.shape[1] * HOP) and y.dtype == np.float32
    for sizes in [*cuts(samples), [1] * samples]:
        assert np.array_equal(encode(codec, x, sizes, use), codes)
    for sizes in cuts(codes.shape[1]):
        assert np.array_equal(decode(codec, codes, sizes, use), y)


def test_sound_and_codes_are_not_trivial(codec):
    codes = encode(codec, noise(1, 4800), [4800], "file")
    assert all(len(np.unique(codes[0, :, book])) > 3 for book in range(3))
    assert decode(codec, codes, [200], "file").std() > 1e-4


def test_both_uses_agree_to_rounding(codec):
    x = noise(1, 4800)
    codes = encode(codec, x, [4800], "file")
    assert np.mean(codes == encode(codec, x, [4800], "live")) > 0.99
    sound = [decode(codec, codes, [200], use) for use in USES]
    np.testing.assert_allclose(*sound, rtol=1e-4, atol=1e-5)


def test_a_code_is_out_with_the_first_sample_of_its_hop(codec):
    encoder = codec.encoder(AudioFormat(8000, 1), "live")
    counts = [encoder.push(sample[None, None]).shape[1] for sample in noise(1, 100)[0]]
    assert [index for index, count in enumerate(counts) if count] == [0, 24, 48, 72, 96]
    assert max(counts) == 1 and encoder.flush().shape[1] == 0


def test_a_frame_is_heard_at_once(codec):
    decoder = codec.decoder(1, "live")
    assert decoder.push(np.zeros((1, 1, 3), np.uint16)).shape == (1, HOP)
    assert decoder.flush().shape == (1, 0)


def test_streams_of_one_model_do_not_disturb_each_other(codec):
    x = noise(2, 1000)
    first, second = (codec.encoder(AudioFormat(8000, 1), "live") for _ in range(2))
    parts = [[], []]
    for start in range(0, 1000, 50):
        parts[0].append(first.push(x[:1, start : start + 50]))
        parts[1].append(second.push(x[1:, start : start + 50]))
    both = np.concatenate([np.concatenate(part, axis=1) for part in parts])
    assert np.array_equal(both, encode(codec, x, [1000], "live"))


def test_silence_before_a_warm_stream_is_silence_in_it():
    """Warm is what a stream without history is after so much silence."""
    warm, cold = tiny_codec("warm"), tiny_codec("zeros")
    x = noise(1, 480)
    frames = len(warm.sound_to_codes("live").warm_up_codes)
    assert frames == -(-8192 // HOP)
    longer = np.concatenate([np.zeros((1, frames * HOP), np.float32), x], axis=1)
    codes = encode(warm, x, [480], "live")
    expected = encode(cold, longer, [longer.shape[1]], "live")
    assert np.array_equal(expected[0, :frames], warm.sound_to_codes("live").warm_up_codes)
    assert np.array_equal(codes, expected[:, frames:])
    y = decode(cold, expected, [expected.shape[1]], "live")[:, frames * HOP :]
    np.testing.assert_allclose(decode(warm, codes, [20], "live"), y, rtol=1e-4, atol=1e-5)


def test_another_rate_is_resampled(codec):
    codes = encode(codec, noise(1, 44100), [44100], "file", rate=44100)
    assert codes.shape[1] == -(-8000 // HOP)


def test_fewer_codebooks_can_be_decoded(codec):
    codes = encode(codec, noise(1, 480), [480], "file")
    coarse = decode(codec, codes[:, :, :1], [20], "file")
    assert coarse.shape == (1, 480)
    assert not np.array_equal(coarse, decode(codec, codes, [20], "file"))


@pytest.mark.parametrize(
    ("codes", "message"),
    [
        (np.zeros((1, 4), np.uint16), "must be"),
        (np.zeros((2, 4, 3), np.uint16), r"must be \[1, frames"),
        (np.zeros((1, 4, 4), np.uint16), "1 to 3"),
        (np.full((1, 4, 3), 32, np.uint16), "code 32"),
    ],
)
def test_codes_of_another_codec_are_refused(codec, codes, message):
    with pytest.raises(InputError, match=message):
        codec.decoder(1).push(codes)


def test_sound_that_is_none_is_refused(codec):
    encoder = codec.encoder(AudioFormat(8000, 1))
    encoder.push(noise(1, 100))
    with pytest.raises(InputError, match="0.012500 s"):
        encoder.push(np.full((1, 1), np.nan, np.float32))
    encoder.flush()
    with pytest.raises(UsageError):
        encoder.push(noise(1, 1))
