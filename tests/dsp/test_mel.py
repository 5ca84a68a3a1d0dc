import math

import pytest
import torch

from audiofix.dsp.mel import LogMel, hz_to_mel, mel_filters, mel_to_hz


def test_the_scale():
    hertz = torch.tensor([0.0, 200 / 3, 1000.0, 6400.0], dtype=torch.float64)
    expected = torch.tensor([0.0, 1.0, 15.0, 42.0], dtype=torch.float64)
    torch.testing.assert_close(hz_to_mel(hertz), expected)
    torch.testing.assert_close(mel_to_hz(expected), hertz)


@pytest.mark.parametrize(("rate", "bands"), [(48000, 20), (16000, 40)])
def test_triangles_have_area_one(rate, bands):
    filters = mel_filters(rate, 1 << 16, bands)
    assert filters.shape == (bands, (1 << 15) + 1)
    areas = filters.double().sum(1) * rate / (1 << 16)
    torch.testing.assert_close(areas, torch.ones_like(areas), rtol=1e-3, atol=0)
    peaks = filters.argmax(1)
    assert (peaks.diff() > 0).all()


def test_a_tone_is_loudest_in_its_band():
    rate, tone_hz = 16000, 2000.0
    x = torch.sin(2 * math.pi * tone_hz * torch.arange(16000) / rate)[None]
    levels = LogMel(rate, hop=400, bands=40)(x)
    assert levels.shape == (1, 40, 41)
    filters = mel_filters(rate, 2048, 40)
    assert int(levels[0, :, 20].argmax()) == int(filters[:, round(tone_hz / rate * 2048)].argmax())


def test_silence_is_finite():
    floor = LogMel(16000)(torch.zeros(1, 4800))
    assert torch.isfinite(floor).all() and float(floor.min()) >= math.log(1e-10) - 1e-3
