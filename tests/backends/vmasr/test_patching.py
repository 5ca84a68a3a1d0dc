import pytest
import torch

from audiofix.backends.vmasr.patching import patch_high_band, patch_step


@pytest.mark.parametrize(("fft", "hop", "step"), [(1024, 240, 64), (1024, 80, 64), (256, 60, 64)])
def test_a_step_is_whole_turns_per_hop(fft, hop, step):
    assert patch_step(fft, hop) == step
    assert step * hop % fft == 0
    assert all(k * hop % fft for k in range(1, step))


def test_bins_come_from_the_nearest_whole_shift_below_the_edge():
    magnitude = torch.arange(300.0)[None, None, :, None].expand(2, 1, 300, 3)
    edge = torch.tensor([100, 30])
    patched, phase = patch_high_band(magnitude, -magnitude, edge, 64)
    first = patched[0, 0, :, 0]
    assert torch.equal(first[:100], torch.arange(100.0))
    assert torch.equal(first[100:164], torch.arange(36.0, 100.0))
    assert torch.equal(first[164:228], torch.arange(36.0, 100.0))
    assert torch.equal(phase, -patched)
    assert torch.equal(patched[1], magnitude[1])
