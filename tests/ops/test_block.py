"""A fused visual state-space block beside its layers, on every instruction level."""

import pytest
import torch

from audiofix.backends.vmasr.blocks import VSSBlock
from audiofix.backends.vmasr.fuse import fuse
from audiofix.ops import native
from audiofix.ops.block import fits
from audiofix.ops.selection import condition

pytestmark = pytest.mark.skipif(not condition("cpu").runs, reason=condition("cpu").reason)


def make(channels: int, normalise: bool = True, ratio: float = 2.0) -> VSSBlock:
    torch.manual_seed(channels)
    block = VSSBlock(channels, ssm_d_state=1, ssm_ratio=ratio, mlp_ratio=4.0, normalise=normalise)
    for parameter in block.parameters():
        parameter.data += 0.1 * torch.randn_like(parameter)  # no weight is 0 or 1 by itself
    return block.eval().requires_grad_(False)


def outputs(block: VSSBlock, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    with torch.inference_mode():
        layers = block(x)
        fuse(block)
        assert block.fused
        return layers, block(x)


@pytest.mark.usefixtures("level")
@pytest.mark.parametrize("normalise", [True, False])
@pytest.mark.parametrize(
    ("channels", "batch", "height", "width"),
    [(4, 1, 5, 3), (8, 2, 33, 70), (12, 1, 1, 130), (24, 1, 17, 1), (40, 1, 6, 65), (128, 1, 4, 9)],
)
def test_the_kernel_equals_the_layers(
    channels: int, batch: int, height: int, width: int, normalise: bool
) -> None:
    block = make(channels, normalise)
    layers, fused = outputs(block, torch.randn(batch, height, width, channels))
    assert float((fused - layers).abs().max() / layers.abs().max()) < 2e-6


def test_the_bits_do_not_depend_on_the_number_of_threads() -> None:
    block, x = make(16), torch.randn(1, 37, 41, 16)
    before, results = torch.get_num_threads(), []
    try:
        for threads in (1, 2, 5):
            torch.set_num_threads(threads)
            results.append(outputs(block, x)[1])
    finally:
        torch.set_num_threads(before)
    assert torch.equal(results[0], results[1])
    assert torch.equal(results[0], results[2])


def test_extreme_inputs_stay_finite_or_alike() -> None:
    block = make(16)
    x = torch.zeros(1, 8, 8, 16)
    x[0, 3, 3] = torch.linspace(-1e4, 1e4, 16)
    layers, fused = outputs(block, x)
    assert torch.isfinite(fused).all()
    assert float((fused - layers).abs().max() / layers.abs().max()) < 2e-6


@pytest.mark.parametrize(
    ("channels", "inner", "rank", "state", "taken"),
    [(16, 32, 1, 1, True), (16, 32, 1, 2, False), (1, 2, 1, 1, False), (512, 1024, 32, 1, False)],
)
def test_only_sizes_that_the_kernel_knows_are_fused(
    channels: int, inner: int, rank: int, state: int, taken: bool
) -> None:
    assert fits(channels, inner, rank, state) == taken


def test_gradients_take_the_layers() -> None:
    block, x = make(16), torch.randn(1, 8, 8, 16)
    fuse(block)
    block.fused = lambda x: pytest.fail("the kernel has no gradient")
    with torch.enable_grad():
        block(x)


@pytest.mark.skipif(
    not (condition("cpu").runs and native.has_matrix_units()), reason="no units for bfloat16"
)
@pytest.mark.parametrize("shape", [(1, 5, 3, 4), (2, 33, 70, 8), (1, 17, 1, 24), (1, 4, 9, 128)])
def test_matrix_units_make_what_products_of_bfloat16_make(shape: tuple[int, ...]) -> None:
    block, x = make(shape[-1]), torch.randn(shape)
    with torch.inference_mode():
        layers = block(x)
        fuse(block, torch.bfloat16)
        halves = block(x)
    error = float((halves - layers).abs().max() / layers.abs().max())
    assert 1e-5 < error < 1e-2  # rounded to 8 bits, and summed in float32


def test_half_precision_without_its_units_is_single(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(native, "has_matrix_units", lambda: False)
    single, half, x = make(16), make(16), torch.randn(1, 8, 8, 16)
    fuse(single)
    fuse(half, torch.bfloat16)
    with torch.inference_mode():
        assert torch.equal(single(x), half(x))
