import numpy as np
import pytest
import torch
from audiofix.trainers.codebooks import codebooks_from
from stages import check_stage, cuts, feed, noise

from audiofix.audio.format import AudioFormat
from audiofix.backends.audiodec.codec import open as open_codec
from audiofix.backends.audiodec.config import SpectralConfig
from audiofix.backends.audiodec.spectral import LEVEL_FLOOR, SpectralCodec
from audiofix.backends.placement import place
from audiofix.backends.weights import Checkpoint
from audiofix.errors import SettingsError
from audiofix.nn.conv import pack_weights
from audiofix.nn.state import StreamState
from audiofix.streaming.roundtrip import RoundTrip

RATE, HOP = 8000, 16
CONFIG = SpectralConfig(
    hop=HOP, window=64, fall=16, span=24, bands=12, codebook_num=3, codebook_size=64, channels=8,
    blocks=1,
)  # fmt: skip
TABLE = {name: getattr(CONFIG, name) for name in CONFIG.__slots__}


def network(config=CONFIG):
    torch.manual_seed(0)
    made = SpectralCodec(config, RATE).eval().requires_grad_(False)
    made.begin_as_interpolation()
    made.quantizer.prediction.fill_(0.5)
    levels = np.repeat(10 ** np.random.default_rng(0).uniform(-4, 0.5, 200), 5 * HOP)
    x = torch.from_numpy(noise(1, 1000 * HOP) * levels.astype(np.float32))
    z = made.projector(made.encoder(x[None]))[0].t()
    codebooks_from(z[1:] - 0.5 * z[:-1], made.quantizer.codebook, 0)
    return made


@pytest.fixture(scope="module")
def codec_checkpoint():
    config = {"rate": RATE, "spectral": TABLE, "late_frames": 2}
    return Checkpoint("tiny", "audiodec", config, network().state_dict(), "here")


@pytest.fixture(scope="module")
def codec(codec_checkpoint):
    return open_codec(codec_checkpoint, place("cpu"))


def test_levels_are_those_of_mel_bands():
    made, x = network(), torch.from_numpy(noise(1, 100))[None]
    levels = made.encoder(x)
    assert levels.shape == (1, 12, 7)
    behind = np.pad(x[0, 0].numpy(), (63, 0))
    window = made.decoder.inversion.analysis.numpy()
    for frame in (0, 3, 6):
        stretch = behind[frame * HOP : frame * HOP + 64] * window / window.sum()
        size = np.abs(np.fft.rfft(stretch)) @ made.encoder.filters.numpy().T
        expected = np.log(size + LEVEL_FLOOR)
        np.testing.assert_allclose(levels[0, :, frame].numpy(), expected, atol=1e-4)


def test_the_cepstrum_is_an_orthonormal_transform():
    matrix = network().projector.matrix
    torch.testing.assert_close(matrix @ matrix.t(), torch.eye(12), atol=1e-6, rtol=0)
    assert network().projector(torch.ones(1, 12, 1))[0, 1:].abs().max() < 1e-5


def test_a_fresh_decoder_interpolates_between_bands():
    made = network()
    for layer in (made.decoder.output_conv, *(one.narrow for one in made.decoder.blocks)):
        layer.weight.zero_()
        layer.bias.zero_()
    levels = torch.linspace(-6, -3, 12).view(1, 12, 1).repeat(1, 1, 5)
    found = made.decoder.log_magnitudes(made.projector(levels))[0, 4:]
    assert found.shape == (6, 33)
    assert torch.all(found[0].diff() > -1e-5) and found[0, 0] == pytest.approx(-6, abs=1e-4)
    assert found[0, -1] == pytest.approx(-3, abs=1e-4)
    torch.testing.assert_close(found, found[:1].expand(6, -1), atol=1e-4, rtol=0)


def test_true_magnitudes_become_the_sound_they_are_of(monkeypatch):
    """The sound of frame j begins two hops before its own first sample."""
    made, x = network(), torch.zeros(1, 1, 480)
    x[0, 0, 200] = 1.0
    step = HOP // 2
    magnitudes = torch.nn.functional.pad(made.encoder.magnitudes(x, step), (0, 0, 1, 0))[:, :60]
    levels = (magnitudes + LEVEL_FLOOR).log()
    monkeypatch.setattr(made.decoder, "log_magnitudes", lambda vectors, state: levels)
    y = made.decoder(torch.zeros(1, 12, 30))[0, 0]
    assert y.shape == (480,)
    power, places = y.square(), torch.arange(480)
    # Where an impulse lies inside a window is not heard: magnitudes alone leave it open.
    assert abs((power * places).sum() / power.sum() - (200 + 2 * HOP)) <= HOP + 4
    assert power[200 + HOP : 200 + 5 * HOP].sum() > 0.95 * power.sum()


@pytest.mark.parametrize(
    ("source", "use"),
    [
        (AudioFormat(8000, 1), "file"),
        (AudioFormat(8000, 2), "live"),
        (AudioFormat(44100, 1), "file"),
    ],
)
def test_keeps_the_laws(codec, source, use):
    check_stage(lambda: RoundTrip(codec, source, use), lengths=[16, 17, 600], single_samples=40)


@pytest.mark.parametrize("codebooks", [None, 1])
def test_any_cut_gives_the_same_codes_and_bits(codec, codebooks):
    x = noise(1, 700)

    def encode(sizes):
        encoder = codec.encoder(AudioFormat(RATE, 1), "live", codebooks=codebooks)
        starts = np.cumsum([0, *sizes])
        parts = [encoder.push(x[:, a:b]) for a, b in zip(starts[:-1], starts[1:], strict=True)]
        return np.concatenate([*parts, encoder.flush()], axis=1)

    codes = encode([700])
    assert codes.shape == (1, 44, codebooks or 3)
    assert len(np.unique(codes[..., 0])) > 3
    for sizes in cuts(700):
        assert np.array_equal(encode(sizes), codes)


def test_both_layouts_agree_to_rounding():
    """Of the phases only the first can be compared: each hangs on the ones before."""
    made, x = network(), torch.from_numpy(noise(1, 401))[None]
    pack_weights(made)
    plain, rows = StreamState(), StreamState(time_major=True)
    for part in x.split([1, 160, 240], dim=2):
        z = made.projector(made.encoder(part, plain), plain)
        z_rows = made.projector(made.encoder(part.mT, rows), rows)
        torch.testing.assert_close(z_rows.mT, z)
        levels = made.decoder.log_magnitudes(z, plain)
        torch.testing.assert_close(made.decoder.log_magnitudes(z_rows, rows), levels)
    z = z[..., :2]
    sound = made.decoder(z, StreamState()), made.decoder(z.mT, StreamState(time_major=True))
    assert sound[0].shape == (1, 1, 32) and sound[0].any()
    torch.testing.assert_close(sound[1].mT, sound[0], rtol=1e-3, atol=1e-5)


def test_live_sound_is_two_hops_late(codec):
    assert codec.latency("live") == 2 * HOP
    encoder, decoder = codec.encoder(AudioFormat(RATE, 1), "live"), codec.decoder(1, "live")
    assert encoder.push(noise(1, 2 * HOP)).shape[1] == 0
    first = encoder.push(noise(1, 1))
    assert first.shape[1] == 1 and decoder.push(first).shape == (1, HOP)


def test_energy_is_where_it_was(codec):
    x = np.concatenate([np.zeros((1, 800), np.float32), noise(1, 800)], axis=1)
    y = feed(RoundTrip(codec, AudioFormat(RATE, 1)), x, [1600])
    assert np.abs(y[0, 840:]).mean() > 5 * np.abs(y[0, 200:760]).mean()


@pytest.mark.parametrize(
    "change",
    [{"span": 40}, {"span": 20}, {"steps": 3}, {"steps": 0}, {"bands": 40}, {"window": 1 << 20}],
)
def test_sizes_that_do_not_fit_are_refused(change):
    (name,) = change
    with pytest.raises(SettingsError, match=name if change.get("steps") != 3 else "span"):
        SpectralConfig(**{**TABLE, **change})


def test_neither_codes_nor_sound_depend_on_the_number_of_threads(codec_checkpoint):
    x, before, results = noise(1, 90 * HOP), torch.get_num_threads(), []
    try:
        for threads in (1, 2):
            torch.set_num_threads(threads)
            codec = open_codec(codec_checkpoint, place("cpu"))
            encoder, decoder = codec.encoder(AudioFormat(RATE, 1)), codec.decoder(1)
            codes = np.concatenate([encoder.push(x), encoder.flush()], axis=1)
            results.append((codes, decoder.push(codes), decoder.flush()))
    finally:
        torch.set_num_threads(before)
    for one, two in zip(*results, strict=True):
        np.testing.assert_array_equal(one, two)
