import copy

import pytest
import torch

from audiofix.backends.asgan.resampling import (
    Resampler,
    down_by_convolution,
    layer_cutoffs,
    up_by_convolution,
)


@pytest.mark.parametrize(("up", "down", "frames"), [(2, 2, 6), (4, 2, 12), (2, 2, 31), (1, 2, 1)])
def test_matrices_equal_the_convolutions_they_stand_for(up, down, frames):
    resampler = Resampler(up, down, 0.2, 0.3)
    x = torch.randn(2, 3, frames, generator=torch.Generator().manual_seed(0))
    risen = up_by_convolution(x, resampler.up_lpf_filter, up)
    assert risen.shape == (2, 3, frames * up)
    torch.testing.assert_close(resampler.up(x), risen)
    fallen = down_by_convolution(x, resampler.down_lpf_filter, down)
    assert fallen.shape == (2, 3, -(-frames // down))
    torch.testing.assert_close(resampler.down(x), fallen)


def test_filters_of_a_checkpoint_replace_the_designed_ones():
    resampler, x = Resampler(2, 2), torch.ones(1, 1, 8)
    before = resampler.up(x)
    resampler.load_state_dict({name: 2 * taps for name, taps in resampler.state_dict().items()})
    torch.testing.assert_close(resampler.up(x), 2 * before)
    torch.testing.assert_close(copy.deepcopy(resampler).up(x), 2 * before)


def test_cutoffs_rise_geometrically_to_the_last():
    cutoffs = layer_cutoffs(4, 0.1, 0.4, 2)
    assert cutoffs == pytest.approx((0.1, 0.2, 0.4, 0.4, 0.4))
