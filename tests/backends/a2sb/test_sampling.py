import pytest
import torch

from audiofix.backends.a2sb.bridge import Bridge
from audiofix.backends.a2sb.sampling import Canvas, FastWalk, sample

BRIDGE = Bridge()


@pytest.mark.parametrize("calls", [1, 2, 7])
def test_times_are_even_in_the_logarithm_of_the_variance(calls):
    times = FastWalk(BRIDGE, calls).grid
    assert times.shape == (calls,) and times[0] == 1
    logs = BRIDGE.forward_variance(times.double()).log()
    if calls > 2:
        assert torch.allclose(logs.diff(), logs.diff()[0].expand(calls - 1), atol=1e-4)
    if calls > 1:
        assert times[-1].item() == pytest.approx(0.05, rel=1e-4)


def images():
    generator = torch.Generator().manual_seed(0)
    clean, noise = torch.randn((2, 1, 3, 4, 4), generator=generator)
    mask = torch.zeros_like(clean)
    mask[..., 1:3] = 1
    return clean, clean * (1 - mask) + 0.5 * noise * mask, mask


def drawn(place, shape):
    return torch.randn(shape, generator=torch.Generator().manual_seed(place))


def filled(velocity, damaged, mask, calls, deterministic=True):
    walk = FastWalk(BRIDGE, calls, deterministic)
    return sample(walk, Canvas(damaged, damaged, mask), velocity, drawn)[-1]


@pytest.mark.parametrize("deterministic", [True, False])
def test_a_network_that_knows_the_clean_image_gives_it_back(deterministic):
    clean, damaged, mask = images()

    def velocity(image, t):
        return BRIDGE.target(torch.tensor([t]), image, clean)

    made = filled(velocity, damaged, mask, 5, deterministic)
    assert torch.allclose(made, clean, atol=1e-4)


def test_what_is_known_is_kept_to_the_bit():
    _, damaged, mask = images()
    made = filled(lambda image, t: image * t, damaged, mask, 4)
    assert torch.equal(made[mask == 0], damaged[mask == 0])
    assert not torch.equal(made[mask == 1], damaged[mask == 1])


def test_the_second_order_rule_needs_fewer_calls_than_the_first():
    """The clean estimate drifts with log sigma_f, as a network's does: a known solution."""
    _, damaged, mask = images()
    mask = torch.ones_like(mask)

    def velocity(image, t):
        time = torch.tensor([t])
        estimate = torch.full_like(image, 0.3) * BRIDGE.forward_variance(time).log() + 0.2 * image
        return BRIDGE.target(time, image, estimate)

    exact, coarse, finer = (filled(velocity, damaged, mask, calls) for calls in (2000, 8, 16))
    error, smaller = (torch.dist(made, exact).item() for made in (coarse, finer))
    assert smaller < error / 3
