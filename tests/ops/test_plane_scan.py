import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import gelu, silu

from audiofix.ops import native
from audiofix.ops.plane_scan import (
    convolve,
    norm_gate,
    perceive,
    plane_scan,
    project,
    runs_natively,
)
from audiofix.ops.plane_scan_reference import plane_scan_reference
from audiofix.ops.selection import condition

pytestmark = pytest.mark.skipif(not condition("cpu").built, reason=condition("cpu").reason)

# batch, channels, height, width, state, rank
SHAPES = [
    (1, 1, 1, 1, 1, 1),
    (1, 2, 3, 15, 1, 1),
    (2, 3, 16, 16, 1, 2),
    (1, 9, 17, 33, 3, 4),
    (1, 2, 700, 5, 1, 1),
    (1, 17, 2, 600, 1, 1),
]


@pytest.fixture(params=[0, 1, 2], ids=["baseline", "avx2", "avx512"])
def level(request):
    use_level = native.library("cpu").afx_use_cpu_level
    if use_level(request.param) != request.param:
        use_level(2)
        pytest.skip("this processor lacks these instructions")
    yield
    use_level(2)


def draw(batch, channels, height, width, state, rank) -> list[Tensor]:
    generator = torch.Generator().manual_seed(height)
    shapes = [
        (batch, channels, height, width),
        (batch, 4, rank + 2 * state, height, width),
        (4, channels, rank),
        (4, channels),
        (4, channels, state),
        (4, channels),
    ]
    tensors = [torch.randn(shape, generator=generator) for shape in shapes]
    tensors[4] = -tensors[4].exp()
    return tensors


@pytest.mark.usefixtures("level")
@pytest.mark.parametrize("shape", SHAPES)
def test_agrees_with_the_reference(shape) -> None:
    tensors = draw(*shape)
    expected = plane_scan_reference(*(tensor.double() for tensor in tensors))
    out = plane_scan(*tensors).double()
    assert (out - expected).abs().max() < 1e-5 * expected.abs().max()


def test_bits_do_not_depend_on_the_threads() -> None:
    tensors, before = draw(2, 19, 33, 70, 1, 2), torch.get_num_threads()
    try:
        results = []
        for threads in (1, 2, 7):
            torch.set_num_threads(threads)
            results.append(plane_scan(*tensors))
    finally:
        torch.set_num_threads(before)
    assert torch.equal(results[0], results[1]) and torch.equal(results[0], results[2])


@pytest.mark.usefixtures("level")
@pytest.mark.parametrize(("height", "width"), [(1, 1), (2, 16), (5, 17), (33, 64)])
def test_convolution_is_torchs(height, width) -> None:
    with torch.random.fork_rng(), torch.no_grad():
        torch.manual_seed(0)
        convolution = torch.nn.Conv2d(6, 6, 3, padding=1, groups=6)
        both = torch.randn(2, 12, height, width)
        plane = both[:, :6]  # its items lie apart
        torch.testing.assert_close(convolve(plane, convolution), silu(convolution(plane)))


@pytest.mark.usefixtures("level")
@pytest.mark.parametrize(("channels", "places"), [(1, 1), (2, 15), (24, 1025), (3, 3000)])
def test_norm_and_gate_are_torchs(channels, places) -> None:
    with torch.random.fork_rng(), torch.no_grad():
        torch.manual_seed(0)
        norm = torch.nn.LayerNorm(channels)
        norm.weight.normal_()
        norm.bias.normal_()
        x = torch.randn(2, channels, places)
        gate = (torch.randn(2, 2 * channels, places) * 20)[:, channels:]
        out = norm_gate(x, gate, norm)
        normed = norm.double()(x.double().transpose(1, 2)).transpose(1, 2)
        # Few channels that are nearly equal magnify the rounding of their mean.
        torch.testing.assert_close(out.double(), normed * silu(gate.double()), rtol=1e-3, atol=1e-4)


@torch.no_grad()
def test_what_does_not_run_natively(monkeypatch) -> None:
    plane = torch.zeros(1, 1, 2, 2)
    assert runs_natively(plane, 1)
    assert not runs_natively(plane.double(), 1)
    assert not runs_natively(plane, native.MAX_STATE + 1)
    assert not runs_natively(torch.zeros(1, 1, native.MAX_HEIGHT + 1, 1), 1)
    with torch.enable_grad():
        assert not runs_natively(plane, 1)
    with torch.autocast("cpu", torch.bfloat16):
        assert not runs_natively(plane, 1)
    monkeypatch.setenv("AUDIOFIX_SCAN", "reference")
    assert not runs_natively(plane, 1)


@pytest.mark.usefixtures("level")
@pytest.mark.parametrize(("inputs", "outputs"), [(1, 4), (2, 12), (3, 1), (20, 5)])
@pytest.mark.parametrize("places", [1, 17, 5003])
def test_projections_equal_matrix_products(inputs: int, outputs: int, places: int) -> None:
    draw = torch.Generator().manual_seed(places)
    x = torch.randn(2, inputs, places, generator=draw)
    weight = torch.randn(outputs, inputs, generator=draw)
    bias = torch.randn(outputs, generator=draw)
    want = weight.double() @ x.double() + bias[:, None]
    assert float((project(x, weight, bias) - want).abs().max()) < 1e-5
    assert float((project(x, weight) + bias[:, None] - want).abs().max()) < 1e-5


@pytest.mark.usefixtures("level")
def test_a_perceptron_of_few_channels_equals_its_layers() -> None:
    torch.manual_seed(0)
    first, second = nn.Linear(1, 4), nn.Linear(4, 1)
    x = torch.linspace(-9, 9, 4099).view(1, 1, -1)
    with torch.inference_mode():
        want = second(gelu(first(x.transpose(1, 2)))).transpose(1, 2)
        assert float((perceive(x, first, second) - want).abs().max()) < 2e-6
