import pytest
import torch

from audiofix.ops import native
from audiofix.ops.layer_norm import LayerNorm
from audiofix.ops.selection import condition

pytestmark = pytest.mark.skipif(not condition("cpu").built, reason=condition("cpu").reason)


@pytest.mark.parametrize("level", [0, 1, 2])
@pytest.mark.parametrize("places", [1, 65, 20_001])
@pytest.mark.parametrize("channels", [1, 2, 3, 4, 8, 12, 16, 24, 33])
def test_agrees_with_torch(channels, places, level) -> None:
    use_level = native.library("cpu").afx_use_cpu_level
    try:
        if use_level(level) != level:
            pytest.skip("this processor lacks these instructions")
        with torch.random.fork_rng():
            torch.manual_seed(channels)
            norm = LayerNorm(channels)
            torch.nn.init.normal_(norm.weight)
            torch.nn.init.normal_(norm.bias)
            x = torch.randn(places, channels)
        with torch.no_grad():
            expected = torch.nn.functional.layer_norm(
                x.double(), (channels,), norm.weight.double(), norm.bias.double()
            )
            # Few channels that are nearly equal magnify the rounding of their mean.
            torch.testing.assert_close(norm(x).double(), expected, rtol=1e-3, atol=1e-4)
    finally:
        use_level(2)


def test_gradients_are_torchs() -> None:
    norm = LayerNorm(3)
    x = torch.tensor([[1.0, 2.0, 4.0]], requires_grad=True)
    norm(x)[0, 0].backward()
    expected = torch.autograd.functional.jacobian(
        lambda v: torch.nn.functional.layer_norm(v, (3,))[0, 0], x.detach()
    )
    torch.testing.assert_close(x.grad, expected)


@torch.no_grad()
def test_nothing_stays_nothing() -> None:
    assert LayerNorm(4)(torch.empty(0, 4)).shape == (0, 4)
