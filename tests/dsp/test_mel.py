import json
import re

import numpy as np
import pytest
import torch
from goldens import golden

from audiofix.dsp.mel import (
    hz_to_mel,
    linear_amplitudes,
    log_mel,
    mel_filters,
    mel_to_hz,
    uncentred_log_mel,
)


@pytest.mark.parametrize(("hertz", "mels"), [(0, 0), (500, 7.5), (1000, 15), (6400, 42)])
def test_slaneys_scale(hertz, mels):
    value = torch.tensor(float(hertz), dtype=torch.float64)
    assert hz_to_mel(value).item() == pytest.approx(mels)
    assert mel_to_hz(hz_to_mel(value)).item() == pytest.approx(hertz)


def test_triangles_have_area_one_and_touch_their_neighbours_tops():
    filters = mel_filters(16000, 65536, 40).double()
    area = filters.sum(1) * 16000 / 65536
    torch.testing.assert_close(area, torch.ones(40, dtype=torch.float64), rtol=1e-3, atol=0)
    tops = filters.argmax(1)
    assert (tops.diff() > 0).all()
    assert filters[0, tops[1]] == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("path", golden("audiodec", "losses.npz"))
def test_the_authors_mel_spectrum(path):
    case = np.load(path)
    config = json.loads(str(case["config"][0]))
    fft_size, hop, bands = map(
        int, re.match(r"fft (\d+) hop (\d+) .* (\d+) bands", config["mel"]).groups()
    )
    filters = mel_filters(config["rate"], fft_size, bands)
    np.testing.assert_allclose(filters.sum(1), case["melmat_row_sums"], rtol=1e-4)
    a, b = (log_mel(torch.from_numpy(case[n])[:, 0], filters, hop) for n in "ab")
    np.testing.assert_allclose(a, case["logmel_a"], atol=2e-4)
    assert (a - b).abs().mean().item() == pytest.approx(case["loss_mel"].item(), rel=1e-4)


def test_amplitudes_of_bins_come_back_from_bands():
    filters = mel_filters(16000, 512, 40)
    wanted = torch.rand(1, 257, 3, generator=torch.Generator().manual_seed(0))
    mel = filters @ wanted
    found = linear_amplitudes(mel, filters)
    assert found.shape == wanted.shape and found.min() >= 0
    torch.testing.assert_close(filters @ found, mel, rtol=0.02, atol=1e-4)
    assert not linear_amplitudes(torch.zeros_like(mel), filters).any()


def test_uncentred_frames_begin_half_a_hop_early():
    filters = mel_filters(16000, 512, 40)
    click = torch.zeros(1, 1280)
    click[0, 640] = 1.0  # the middle of the third of five frames of 256 samples
    found = uncentred_log_mel(click, filters, 256)
    assert found.shape == (1, 40, 5)
    level = found.exp().sum(1)[0]
    assert level.argmax() == 2 and torch.allclose(level[1], level[3], rtol=0.01)
