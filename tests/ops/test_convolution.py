"""The convolution along time beside plain torch, on every instruction level."""

import pytest
import torch
from torch.nn.functional import conv1d

from audiofix.errors import DeviceError
from audiofix.ops.convolution import ELU, IDENTITY, Activation, TimeConvolution, leaky
from audiofix.ops.selection import condition

pytestmark = pytest.mark.skipif(not condition("cpu").runs, reason=condition("cpu").reason)


def drawn(*shape: int) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(sum(shape)))


@pytest.mark.usefixtures("level")
@pytest.mark.parametrize("activation", [IDENTITY, ELU, leaky(0.1)])
@pytest.mark.parametrize(
    ("groups", "inputs", "outputs", "taps", "stride", "dilation", "steps"),
    [
        (1, 1, 32, 7, 1, 1, 300),  # the first layer of an encoder
        (1, 32, 1, 7, 1, 1, 29),  # the last of a decoder
        (3, 5, 40, 11, 1, 5, 17),
        (1, 24, 48, 10, 5, 1, 31),
        (1, 300, 33, 3, 1, 9, 220),  # more than a tile
        (1, 16, 16, 1, 1, 1, 1),
    ],
)
def test_the_kernel_is_the_convolution(
    groups: int,
    inputs: int,
    outputs: int,
    taps: int,
    stride: int,
    dilation: int,
    steps: int,
    activation: Activation,
) -> None:
    weight, bias = drawn(groups, outputs, inputs, taps) / taps, drawn(groups, outputs)
    pointwise, residual = drawn(groups, 9, outputs, 1) / outputs, drawn(groups, steps, 9)
    layer = TimeConvolution(weight, bias, stride=stride, dilation=dilation)
    then = TimeConvolution(pointwise, None)
    reach = (taps - 1) * dilation
    history, x = drawn(groups, reach, inputs), drawn(groups, steps * stride, inputs)
    y, kept = layer(x, history, activation)
    both, _ = layer(x, history, activation, then=then, residual=residual)

    seen = torch.cat([history, x], dim=1)
    assert torch.equal(kept, seen[:, steps * stride :])
    # Each stride ends with its last input.
    window = activation(seen[:, seen.shape[1] - ((steps - 1) * stride + 1 + reach) :]).double().mT
    for group in range(groups):
        expected = conv1d(
            window[group], weight[group].double(), bias[group].double(), stride, 0, dilation
        )
        assert (y[group].mT - expected).abs().max() < 2e-6 * expected.abs().max()
        expected = conv1d(activation(expected), pointwise[group].double()).mT + residual[group]
        assert (both[group] - expected).abs().max() < 2e-6 * expected.abs().max()


@pytest.mark.usefixtures("level")
def test_no_cut_changes_a_bit() -> None:
    layer, then = (TimeConvolution(drawn(1, 40, 40, taps), None) for taps in (7, 1))
    x, beginning = drawn(1, 150, 40), torch.zeros(1, 6, 40)

    def streamed(sizes: list[int]) -> torch.Tensor:
        history, found = beginning, []
        for part in x.split(sizes, dim=1):
            y, history = layer(part, history, ELU, then=then, residual=part)
            found.append(y)
        return torch.cat(found, dim=1)

    whole = streamed([150])
    for sizes in ([1] * 150, [13, 137], [14, 15, 29, 92], [5, 145]):
        assert torch.equal(streamed(sizes), whole)


def test_what_does_not_follow_is_refused() -> None:
    layer, then = TimeConvolution(drawn(1, 8, 4, 3), None), TimeConvolution(drawn(1, 8, 4, 1), None)
    with pytest.raises(DeviceError, match="shape out of range"):
        layer(drawn(1, 5, 4), torch.zeros(1, 2, 4), IDENTITY, then=then)
