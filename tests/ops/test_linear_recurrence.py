import pytest
import torch

from audiofix.ops.linear_recurrence import linear_recurrence


def walk(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    y, results = torch.zeros(b.shape[:-1], dtype=b.dtype), []
    for t in range(b.shape[-1]):
        y = a[..., t] * y + b[..., t]
        results.append(y)
    return torch.stack(results, dim=-1)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("length", [1, 2, 15, 16, 17, 333])
def test_values_are_those_of_a_walk(length: int, dtype: torch.dtype) -> None:
    draw = torch.Generator().manual_seed(length)
    a = torch.rand(2, 3, length, generator=draw).to(dtype) * 2 - 1
    b = torch.randn(2, 3, length, generator=draw).to(dtype)
    torch.testing.assert_close(linear_recurrence(a, b), walk(a, b))
    backwards = walk(a.flip(-1), b.flip(-1)).flip(-1)
    torch.testing.assert_close(linear_recurrence(a, b, reverse=True), backwards)


@pytest.mark.parametrize("reverse", [False, True])
def test_gradients(reverse: bool) -> None:
    draw = torch.Generator().manual_seed(0)
    a, b = torch.randn(2, 2, 7, generator=draw, dtype=torch.float64).requires_grad_().unbind()
    assert torch.autograd.gradcheck(lambda *x: linear_recurrence(*x, reverse=reverse), (a, b))


def test_torch_accepts_the_operator() -> None:
    a = torch.full((2, 9), 0.5, requires_grad=True)
    b = torch.ones(2, 9, requires_grad=True)
    torch.library.opcheck(torch.ops.audiofix.linear_recurrence, (a, b, False))


def test_products_that_underflow_do_no_harm() -> None:
    a = torch.full((1, 1000), 1e-6)
    b = torch.ones(1, 1000)
    assert torch.equal(linear_recurrence(a, b)[0, 1:], torch.full((999,), 1.000001))


def test_different_shapes_are_refused() -> None:
    with pytest.raises(ValueError, match="^a: "):
        linear_recurrence(torch.ones(3), torch.ones(4))
