import numpy as np
import pytest
import torch
from stages import check_stage, feed, noise

from audiofix.audio.format import AudioFormat
from audiofix.backends.apollo.config import ApolloConfig
from audiofix.backends.apollo.network import Apollo
from audiofix.backends.apollo.restore import ApolloRestorer
from audiofix.backends.placement import place
from audiofix.backends.tasks import DecodeRestoreRequest

HOP = 441


def restorer(**settings):
    torch.manual_seed(0)
    config = ApolloConfig.from_mapping({"feature_dim": 16, "layer": 1, **settings})
    network = Apollo(config).eval().requires_grad_(False)
    return ApolloRestorer("tiny", network, place("cpu"))


def restored(x, rate=44100, made=None, **request):
    made = made or restorer()
    stage = made.stage(AudioFormat(rate, len(x)), DecodeRestoreRequest(**request))
    return feed(stage, x, [x.shape[1]])


def test_laws_of_a_stage():
    made = restorer(residual=True, dither=1e-4)
    check_stage(
        lambda: made.stage(AudioFormat(44100, 2), DecodeRestoreRequest()),
        lengths=(441, 442, 64 * HOP - 1, 64 * HOP, 64 * HOP + 1, 60013),
    )


@pytest.mark.parametrize("samples", [442, 4410, 64 * HOP + 100])
def test_published_edges_are_the_networks_own(samples):
    made, x = restorer(), noise(2, samples)
    whole = made.network(torch.from_numpy(x)[None])[0].numpy()
    body = samples // HOP * HOP
    found = restored(x, made=made, edges="published")
    assert found.shape == whole.shape
    assert np.abs(found - whole)[:, :body].max() < 1e-6
    # The stage differs at the end only, within the network's reach.
    extended = restored(x, made=made)
    reach = 10 * HOP + 441
    assert np.abs(extended - whole)[:, : max(0, samples - reach)].max(initial=0) < 1e-6


def test_no_spike_after_the_last_whole_hop():
    x = noise(1, 20 * HOP + 440)
    published, extended = restored(x, edges="published"), restored(x)
    body = np.abs(extended[:, :-HOP]).max()
    assert np.abs(published[:, -HOP:]).max() > 5 * body
    assert np.abs(extended[:, -HOP:]).max() < 3 * body


@pytest.mark.parametrize("samples", [0, 1, 2, 441])
@pytest.mark.parametrize("edges", ["extended", "published"])
def test_short_inputs(samples, edges):
    found = restored(noise(1, samples), edges=edges)
    assert found.shape == (1, samples) and np.isfinite(found).all()


def test_channels_are_rows():
    x = noise(6, 5000)
    made = restorer(residual=True, dither=1e-4)
    together = restored(x, made=made)
    for row in range(6):
        alone = restored(x[row : row + 1], made=made)
        assert np.abs(together[row] - alone[0]).max() < 1e-6


@pytest.mark.parametrize(
    ("rate", "to_rate"), [(48000, None), (22050, None), (22050, 44100), (96000, 48000)]
)
def test_other_rates(rate, to_rate):
    x = noise(1, 6007)
    found = restored(x, rate, to_rate=to_rate)
    assert found.shape == (1, (6007 * (to_rate or rate) * 2 + rate) // (2 * rate))


def test_a_residual_network_leaves_silence_silent():
    x = np.zeros((1, 50000), np.float32)
    assert not restored(x, made=restorer(residual=True, dither=1e-3)).any()
