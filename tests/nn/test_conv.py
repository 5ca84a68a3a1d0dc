import pytest
import torch

from audiofix.nn.conv import (
    CausalConv1d,
    CausalDepthwiseConv1d,
    CausalUpsample1d,
    PointwiseConv1d,
    pack_weights,
    serves,
)
from audiofix.nn.state import StreamState
from audiofix.ops.convolution import ELU, leaky
from audiofix.ops.selection import condition


def signal(channels, time):
    return torch.randn(1, channels, time, generator=torch.Generator().manual_seed(1))


def streamed(layer, x, sizes, *, time_major, groups=1, beginning="zeros"):
    """Return what a layer makes of `[1, channels, time]`, cut as told, in the same layout."""
    state = StreamState(beginning, time_major=time_major)
    if not time_major:
        with torch.no_grad():
            return torch.cat([layer(part, state) for part in x.split(sizes, dim=2)], dim=2)
    pack_weights(layer)
    by_group = x[0].unflatten(0, (groups, -1)).transpose(1, 2)
    with torch.no_grad():
        parts = [layer(part, state).clone() for part in by_group.split(sizes, dim=1)]
    return torch.cat(parts, dim=1).transpose(1, 2).flatten(0, 1)[None]


@pytest.fixture(params=["whole", "reference", "native"])
def time_major(request, monkeypatch):
    """Streams laid out as whole signals are, and time-major without and with the kernel."""
    if request.param == "native" and not condition("cpu").runs:
        pytest.skip(condition("cpu").reason)
    if request.param != "whole":
        monkeypatch.setenv("AUDIOFIX_SCAN", request.param)
    return request.param != "whole"


@pytest.mark.parametrize(
    ("kernel", "stride", "dilation", "groups", "bias"),
    [(7, 1, 1, 1, False), (7, 1, 9, 1, True), (6, 3, 1, 1, True), (11, 1, 5, 3, True)],
)
def test_a_stream_is_the_whole_signal(kernel, stride, dilation, groups, bias, time_major):
    options = {"stride": stride, "dilation": dilation, "groups": groups, "bias": bias}
    layer = CausalConv1d(6, 12, kernel, **options)
    x = signal(6, 1 + 40 * stride)
    whole = layer(x)
    # Blocks end with the first sample of each stride, so a stream begins with one sample.
    sizes = [1, stride, 4 * stride, 35 * stride]
    found = streamed(layer, x, sizes, groups=groups, time_major=time_major)
    torch.testing.assert_close(found, whole)


@pytest.mark.parametrize("beginning", ["zeros", "replicate"])
def test_upsampling_in_a_stream(beginning, time_major):
    layer = CausalUpsample1d(6, 4, 5)
    x = signal(6, 10)
    padded = torch.cat([x[:, :, :1] * (beginning == "replicate"), x], dim=2)
    expected = layer.deconv(padded)[:, :, 5:-5]
    found = streamed(layer, x, [1, 2, 7], beginning=beginning, time_major=time_major)
    assert found.shape == (1, 4, 50)
    torch.testing.assert_close(found, expected)
    if beginning == "replicate":
        torch.testing.assert_close(found, layer(x))


def test_upsampling_is_the_formula():
    layer = CausalUpsample1d(2, 3, 4)
    x = signal(2, 6)
    y, weight = layer(x), layer.deconv.weight
    now, before = x[0, :, 3], x[0, :, 2]
    expected = layer.deconv.bias + now @ weight[:, :, 1] + before @ weight[:, :, 4 + 1]
    torch.testing.assert_close(y[0, :, 3 * 4 + 1], expected)


def test_pointwise_in_a_stream(time_major):
    layer = PointwiseConv1d(6, 4, bias=True)
    x = signal(6, 10)
    torch.testing.assert_close(streamed(layer, x, [3, 7], time_major=time_major), layer(x))


@pytest.mark.parametrize("activation", [ELU, leaky(0.1)])
def test_a_residual_unit_in_a_stream(time_major, activation):
    layer, then = CausalConv1d(6, 6, 7, dilation=3), PointwiseConv1d(6, 6)
    x, state = signal(6, 40), StreamState(time_major=time_major)
    expected = x + then(activation(layer(activation(x))))
    for part in (layer, then):
        pack_weights(part)
    parts = (x.mT if time_major else x).split([1, 9, 30], dim=1 if time_major else 2)
    with torch.no_grad():
        found = [layer(part, state, before=activation, then=then, residual=part) for part in parts]
    y = torch.cat(found, dim=1).mT if time_major else torch.cat(found, dim=2)
    torch.testing.assert_close(y, expected)
    torch.testing.assert_close(layer(x, before=activation, then=then, residual=x), expected)


def test_outputs_depend_on_the_past_only():
    layer = CausalConv1d(1, 1, 7, stride=3)
    x = signal(1, 31)
    changed = x.clone()
    changed[..., 13] += 1  # between the ends of outputs 4 and 5
    moved = (layer(x) != layer(changed))[0, 0].nonzero().flatten().tolist()
    assert moved == [5, 6]


def test_published_histories_are_not_loaded():
    layer = CausalConv1d(2, 2, 3)
    state = {**layer.state_dict(), "pad_buffer": torch.ones(4, 2, 2)}
    layer.load_state_dict(state)
    assert "pad_buffer" in state and "pad_buffer" not in layer.state_dict()
    pack_weights(layer)
    assert list(layer.state_dict()) == ["conv.weight", "conv.bias"]


def test_a_depthwise_stream_is_the_whole_signal_in_parts(time_major):
    layer, x = CausalDepthwiseConv1d(6, 5), torch.randn(1, 6, 40)
    with torch.no_grad():
        whole = layer(x)
        for channel in range(6):
            kernel = layer.conv.weight[channel, 0]
            behind = torch.nn.functional.pad(x[0, channel], (4, 0))
            expected = behind.unfold(0, 5, 1) @ kernel + layer.conv.bias[channel]
            torch.testing.assert_close(whole[0, channel], expected)
        state = StreamState(time_major=time_major)
        parts = [
            layer(part.mT if time_major else part, state) for part in x.split([1, 1, 7, 31], dim=2)
        ]
    found = torch.cat(parts, dim=1).mT if time_major else torch.cat(parts, dim=2)
    torch.testing.assert_close(found, whole)


def test_it_serves_float32_on_the_cpu(monkeypatch):
    network = torch.nn.Linear(2, 2)
    assert serves(network) == condition("cpu").runs
    assert not serves(torch.nn.Linear(2, 2, dtype=torch.bfloat16))
    monkeypatch.setenv("AUDIOFIX_SCAN", "reference")
    assert not serves(network)
