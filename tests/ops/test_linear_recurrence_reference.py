import torch

from audiofix.ops.linear_recurrence_reference import linear_recurrence_reference


def test_a_constant_factor_gives_a_geometric_series() -> None:
    y = linear_recurrence_reference(torch.full((1, 9), 0.5), torch.ones(1, 9))
    assert torch.equal(y[0], 2 - 0.5 ** torch.arange(9))


def test_from_the_end_is_the_flipped_recurrence() -> None:
    draw = torch.Generator().manual_seed(0)
    a, b = torch.randn(2, 3, 10, generator=draw, dtype=torch.float64).unbind()
    backwards = linear_recurrence_reference(a, b, reverse=True)
    assert torch.equal(backwards, linear_recurrence_reference(a.flip(-1), b.flip(-1)).flip(-1))
    torch.testing.assert_close(backwards[:, 8], a[:, 8] * b[:, 9] + b[:, 8])
