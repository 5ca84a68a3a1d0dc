import pytest
import torch

from audiofix.ops.selective_scan_reference import selective_scan_reference


def draw(length: int) -> tuple[torch.Tensor, ...]:
    generator = torch.Generator().manual_seed(length)
    shapes = [
        (2, 4, length),
        (2, 4, length),
        (4, 3),
        (2, 2, 3, length),
        (2, 2, 3, length),
        (4,),
        (4,),
    ]
    tensors = [torch.randn(shape, generator=generator, dtype=torch.float64) for shape in shapes]
    tensors[2] = -tensors[2].exp()
    return tuple(tensor.requires_grad_() for tensor in tensors)


@pytest.mark.parametrize("reversed_groups", [0, 1])
def test_values_are_those_of_a_walk(reversed_groups: int) -> None:
    u, delta, A, B, C, D, bias = draw(13)
    step = torch.nn.functional.softplus(delta + bias[:, None])
    expected = D[:, None] * u
    for row in range(4):
        group = row // 2
        state = torch.zeros(2, 3, dtype=torch.float64)
        steps = reversed(range(13)) if group >= 2 - reversed_groups else range(13)
        for t in steps:
            now, gain = step[:, row, t, None], step[:, row, t, None] * u[:, row, t, None]
            state = torch.exp(now * A[row]) * state + gain * B[:, group, :, t]
            value = (C[:, group, :, t] * state).sum(-1)
            expected = expected.index_put((torch.arange(2), torch.tensor(row), torch.tensor(t)),
                                          value, accumulate=True)  # fmt: skip
    got = selective_scan_reference(
        u, delta, A, B, C, D, bias, delta_softplus=True, reversed_groups=reversed_groups
    )
    torch.testing.assert_close(got, expected)


@pytest.mark.parametrize("reversed_groups", [0, 1, 2])
def test_gradients_are_those_of_the_values(reversed_groups: int) -> None:
    assert torch.autograd.gradcheck(
        lambda *inputs: selective_scan_reference(
            *inputs, delta_softplus=True, reversed_groups=reversed_groups
        ),
        draw(5),
    )
