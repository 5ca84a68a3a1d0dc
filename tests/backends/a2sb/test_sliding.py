import pytest
import torch
from backends.a2sb.models import BRIDGE, CPU, checkpoint

from audiofix.backends.a2sb.bridge import Bridge
from audiofix.backends.a2sb.networks import Networks
from audiofix.backends.a2sb.sampling import FastWalk, PublishedWalk
from audiofix.backends.a2sb.sliding import SlidingSampler
from audiofix.backends.a2sb.windows import sample_image

BLOCK = BRIDGE.window_frames // 2
WALKS = [
    FastWalk(Bridge(), 4, deterministic=True),
    FastWalk(Bridge(), 3),
    PublishedWalk(Bridge(), 5),
]


def whole_noise(blocks, rows):
    """Return draws of a whole image, and the same draws block by block."""
    draws = {}

    def of_image(number, shape):
        generator = torch.Generator().manual_seed(number + 50)
        return draws.setdefault(number, torch.randn(tuple(shape), generator=generator))

    def of_block(block):
        def draw(number, shape):
            image = of_image(number, (*shape[:-1], blocks * BLOCK))
            return image[..., block * BLOCK : (block + 1) * BLOCK]

        return draw

    return of_image, of_block


@pytest.mark.parametrize("walk", WALKS)
@pytest.mark.parametrize("blocks", [2, 3, 13])
def test_block_by_block_is_the_whole_image(walk, blocks):
    """13 blocks are 12 windows."""
    networks = Networks(checkpoint(), CPU)
    generator = torch.Generator().manual_seed(1)
    damaged = torch.randn((1, 3, BRIDGE.rows, blocks * BLOCK), generator=generator)
    mask = torch.zeros_like(damaged)
    mask[..., 20:, :] = 1
    of_image, of_block = whole_noise(blocks, BRIDGE.rows)
    whole = sample_image(walk, damaged, mask, networks.velocity, BRIDGE, of_image)[-1]
    sampler = SlidingSampler(walk, networks.velocity, of_block)
    made = []
    for part, part_mask in zip(damaged.split(BLOCK, -1), mask.split(BLOCK, -1), strict=True):
        made += sampler.push(part, part_mask)
        assert len(sampler._blocks) <= sampler.delay
    made += sampler.flush()
    assert torch.allclose(torch.cat(made, dim=-1), whole, atol=1e-5)
    assert not torch.equal(whole, damaged)


def test_windows_without_anything_to_make_are_not_computed():
    calls = []

    def velocity(images, t):
        calls.append(t)
        return torch.zeros_like(images)

    walk = FastWalk(Bridge(), 2, deterministic=True)
    sampler = SlidingSampler(walk, velocity, lambda block: torch.randn)
    for masked in (0, 0, 0, 1, 0, 0):
        image = torch.randn((1, 3, BRIDGE.rows, BLOCK))
        sampler.push(image, torch.full_like(image, masked))
    sampler.flush()
    assert len(calls) == 2 * 2  # two windows hold the one masked block
