import math

import pytest
import torch
from audiofix.trainers.losses.spectral import spectral_losses


def waves(seed):
    return torch.randn(4, 8000, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("each", [False, True])
def test_a_gain_gives_what_the_formulas_say(each):
    y = waves(0)
    convergence, distance = spectral_losses(0.5 * y, y, each=each)
    assert convergence.item() == pytest.approx(0.5, rel=1e-4)
    assert distance.item() == pytest.approx(math.log(2), rel=1e-3)
    assert [part.item() for part in spectral_losses(y, y, each=each)] == [0, 0]


def test_each_items_convergence_makes_a_batch_the_mean_of_its_parts():
    x, y = waves(1), waves(2) * torch.tensor([[0.1], [1.0], [3.0], [0.5]])
    whole = spectral_losses(x, y, each=True)
    parts = [spectral_losses(x[half], y[half], each=True) for half in (slice(2), slice(2, 4))]
    for one, (first, second) in zip(whole, zip(*parts, strict=True), strict=True):
        assert one.item() == pytest.approx((first.item() + second.item()) / 2, rel=1e-5)
    assert spectral_losses(x, y)[0].item() != pytest.approx(whole[0].item(), rel=1e-3)


def test_silence_has_gradients():
    x = torch.zeros(1, 8000, requires_grad=True)
    sum(spectral_losses(x, torch.zeros(1, 8000), each=True)).backward()
    assert x.grad.isfinite().all()
