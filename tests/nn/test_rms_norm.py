import torch

from audiofix.nn.rms_norm import RMS_EPSILON, RMSNorm


def test_the_mean_square_is_one_and_the_weight_scales():
    norm = RMSNorm(6)
    x = 3 * torch.randn(4, 5, 6, generator=torch.Generator().manual_seed(0))
    assert torch.allclose(norm(x).square().mean(-1), torch.ones(4, 5), atol=1e-4)
    norm.weight.data = torch.arange(6.0)
    expected = x / (x.square().mean(-1, keepdim=True) + RMS_EPSILON).sqrt() * torch.arange(6.0)
    assert torch.allclose(norm(x), expected, atol=1e-6)


def test_silence_stays_silent_and_the_type_is_kept():
    x = torch.zeros(2, 3, dtype=torch.bfloat16)
    assert RMSNorm(3)(x).dtype == torch.bfloat16
    assert not RMSNorm(3)(x).any()
