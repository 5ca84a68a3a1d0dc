import torch
from torch.nn.functional import conv2d

from audiofix.nn.spectral_norm import SpectralNormConv2d


def layer():
    torch.manual_seed(0)
    return SpectralNormConv2d(3, 5, 3, 2, 1)


def test_the_largest_singular_value_becomes_one():
    made = layer()
    for _ in range(50):
        made.iterate()
    made.eval()
    largest = torch.linalg.svdvals(made.weight_orig.flatten(1).detach()).max()
    x = torch.randn(1, 3, 8, 8)
    expected = conv2d(x, made.weight_orig / largest, made.bias, 2, 1)
    assert torch.allclose(made(x), expected, atol=1e-5)


def test_only_training_moves_the_estimate():
    made = layer()
    before = made.weight_u.clone()
    made.eval()(torch.zeros(1, 3, 4, 4))
    assert torch.equal(made.weight_u, before)
    made.train()(torch.zeros(1, 3, 4, 4))
    assert not torch.equal(made.weight_u, before)


def test_two_passes_before_one_backward():
    made = layer().train()
    x = torch.randn(1, 3, 8, 8)
    (made(x).sum() + made(-x).square().sum()).backward()
    assert made.weight_orig.grad.abs().sum() > 0
