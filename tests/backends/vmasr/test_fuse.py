import pytest
import torch

from audiofix.backends.vmasr.blocks import VSSBlock
from audiofix.backends.vmasr.config import VMASRConfig
from audiofix.backends.vmasr.fuse import fuse
from audiofix.backends.vmasr.network import VMASR
from audiofix.ops.selection import condition

pytestmark = pytest.mark.skipif(not condition("cpu").runs, reason=condition("cpu").reason)


@pytest.mark.parametrize("concat_skip", [True, False])
def test_a_fused_network_gives_the_same_spectra(concat_skip: bool) -> None:
    torch.manual_seed(0)
    network = VMASR(VMASRConfig(dims=8, concat_skip=concat_skip)).eval().requires_grad_(False)
    magnitude, phase = torch.randn(1, 1, 513, 32) * 3 - 8, torch.rand(1, 1, 513, 32) * 6 - 3
    with torch.inference_mode():
        want = network.enhance(magnitude, phase)
        fuse(network)
        got = network.enhance(magnitude, phase)
    for fused, layers in zip(got, want, strict=True):
        assert not torch.equal(fused, layers)  # other arithmetic, so it did run
        torch.testing.assert_close(fused, layers, rtol=0, atol=2e-4)


def test_all_blocks_but_those_of_one_channel_are_fused() -> None:
    network = VMASR(VMASRConfig()).eval().requires_grad_(False)
    fuse(network)
    blocks = [module for module in network.modules() if isinstance(module, VSSBlock)]
    assert {block.op.in_proj.weight.shape[1] for block in blocks if not block.fused} == {1}


def test_the_plain_scan_can_be_forced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUDIOFIX_SCAN", "reference")
    network = VMASR(VMASRConfig(dims=8)).eval().requires_grad_(False)
    fuse(network)
    assert not any(getattr(module, "fused", None) for module in network.modules())
