"""The public operator: the compiled twin beside the reference, and torch's own checks of it."""

import pytest
import torch
from torch import Tensor

from audiofix.errors import DeviceError
from audiofix.ops import native
from audiofix.ops.selection import condition
from audiofix.ops.selective_scan import ShapeError, selective_scan

NAMES = ("u", "delta", "A", "B", "C", "D", "delta_bias")
needs_native = pytest.mark.skipif(not condition("cpu").runs, reason=condition("cpu").reason)
device = pytest.mark.parametrize(
    "device",
    [
        pytest.param("cpu", marks=needs_native),
        pytest.param(
            "cuda",
            marks=[
                pytest.mark.cuda,
                pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device"),
            ],
        ),
    ],
)


def draw(
    batch: int = 1, dim: int = 8, groups: int = 4, state: int = 1, length: int = 100, seed: int = 0
) -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(seed)

    def normal(*shape: int) -> Tensor:
        return torch.randn(shape, generator=generator)

    shared = (batch, groups, state, length)
    return {
        "u": normal(batch, dim, length),
        "delta": normal(batch, dim, length) - 2,
        "A": -normal(dim, state).exp(),
        "B": normal(*shared),
        "C": normal(*shared),
        "D": normal(dim),
        "delta_bias": normal(dim),
    }


def gradients(tensors: dict[str, Tensor], reversed_groups: int = 0) -> dict[str, Tensor]:
    """The scan's values and every gradient, by name."""
    leaves = {name: tensor.clone().requires_grad_() for name, tensor in tensors.items()}
    out = selective_scan(**leaves, delta_softplus=True, reversed_groups=reversed_groups)
    weight = torch.randn(out.shape, generator=torch.Generator().manual_seed(1)).to(out)
    found = torch.autograd.grad(out, list(leaves.values()), weight)
    return {"out": out.detach(), **dict(zip(leaves, found, strict=True))}


def assert_close(got: dict[str, Tensor], want: dict[str, Tensor], tolerance: float) -> None:
    for name, expected in want.items():
        assert got[name].shape == expected.shape
        difference = (got[name].cpu().double() - expected).abs().max()
        assert difference <= tolerance * expected.abs().max(), f"{name}: {difference}"


@device
@pytest.mark.parametrize("reversed_groups", [0, 2])
@pytest.mark.parametrize("length", [1, 2, 31, 33, 511, 512, 513, 1023, 16323])
def test_odd_lengths_agree_with_the_reference(
    length: int, reversed_groups: int, device: str
) -> None:
    tensors = draw(length=length)
    want = gradients({name: t.double() for name, t in tensors.items()}, reversed_groups)
    got = gradients({name: t.to(device) for name, t in tensors.items()}, reversed_groups)
    assert_close(got, want, 1e-5)


@device
@pytest.mark.parametrize(
    ("batch", "dim", "groups", "state"), [(2, 6, 2, 3), (1, 40, 1, 2), (3, 20, 1, 16), (2, 4, 4, 1)]
)
def test_shapes_agree_with_the_reference(
    batch: int, dim: int, groups: int, state: int, device: str
) -> None:
    tensors = draw(batch, dim, groups, state, length=1030)
    want = gradients({name: t.double() for name, t in tensors.items()}, 1)
    got = gradients({name: t.to(device) for name, t in tensors.items()}, 1)
    assert_close(got, want, 1e-5)


@needs_native
@pytest.mark.parametrize("level", [0, 1, 2])
def test_every_instruction_level_agrees_with_the_reference(level: int) -> None:
    use_level = native.library("cpu").afx_use_cpu_level
    tensors = draw(dim=4, groups=2, state=2, length=700)
    want = gradients({name: t.double() for name, t in tensors.items()})
    try:
        if use_level(level) != level:
            pytest.skip(f"this processor has no level {level}")
        assert_close(gradients(tensors), want, 1e-5)
    finally:
        use_level(2)


@device
def test_results_do_not_change_by_a_bit(device: str) -> None:
    tensors = {name: t.to(device) for name, t in draw(2, 40, 2, 2, 1500).items()}
    first = gradients(tensors)
    threads = torch.get_num_threads()
    try:
        for count in (1, 2, 3):
            torch.set_num_threads(count)
            for name, again in gradients(tensors).items():
                assert torch.equal(again, first[name]), f"{name} with {count} threads"
    finally:
        torch.set_num_threads(threads)


def test_reversed_groups_are_flipped_scans() -> None:
    tensors = draw(length=37)
    both = selective_scan(**tensors, delta_softplus=True, reversed_groups=1)
    flips = {name: t.flip(-1) if t.ndim > 2 else t for name, t in tensors.items()}
    forwards = selective_scan(**tensors, delta_softplus=True)
    backwards = selective_scan(**flips, delta_softplus=True).flip(-1)
    torch.testing.assert_close(both, torch.cat([forwards[:, :6], backwards[:, 6:]], dim=1))


@device
def test_not_a_number_reaches_only_later_steps_of_its_row(device: str) -> None:
    tensors = {name: t.to(device) for name, t in draw(length=100).items()}
    tensors["u"][0, 3, 50] = float("nan")
    broken = selective_scan(**tensors, delta_softplus=True).isnan()
    assert not broken[0, 3, :50].any()
    assert broken[0, 3, 50:].all()
    assert broken.sum() == 50


@needs_native
@pytest.mark.parametrize("optional", [True, False])
def test_torch_accepts_the_operator(optional: bool) -> None:
    tensors = draw(dim=4, groups=2, state=2, length=20)
    leaves = [tensors[name].requires_grad_() for name in NAMES]
    if not optional:
        leaves[5:] = [None, None]  # type: ignore[list-item]
    torch.library.opcheck(torch.ops.audiofix.selective_scan, (*leaves, True, 1, True))
    out, checkpoints = torch.ops.audiofix.selective_scan(*leaves, True, 1, True)
    plain = [None if leaf is None else leaf.detach() for leaf in leaves]
    arguments = (torch.ones_like(out), checkpoints.detach(), *plain, True, 1)
    torch.library.opcheck(torch.ops.audiofix.selective_scan_backward, arguments)


@device
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_types_are_near(dtype: torch.dtype, device: str) -> None:
    tensors = draw(length=300)
    want = gradients({name: t.double() for name, t in tensors.items()})
    half = {
        name: t.to(device, dtype if t.ndim > 2 else torch.float32) for name, t in tensors.items()
    }
    got = gradients(half)
    assert got["out"].dtype == dtype
    assert_close(got, want, 5e-2)


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("u", (8, 100)),
        ("delta", (1, 8, 99)),
        ("A", (7, 1)),
        ("B", (1, 3, 1, 100)),
        ("C", (1, 4, 2, 100)),
        ("D", (4,)),
        ("delta_bias", (8, 1)),
    ],
)
def test_a_wrong_shape_names_the_argument(name: str, shape: tuple[int, ...]) -> None:
    with pytest.raises(ShapeError, match=rf"^{name}: shape"):
        selective_scan(**(draw() | {name: torch.zeros(shape)}))


def test_reversed_groups_are_at_most_all() -> None:
    with pytest.raises(ShapeError, match="^reversed_groups: 5"):
        selective_scan(**draw(), reversed_groups=5)


@pytest.mark.parametrize("name", NAMES[1:])
def test_an_argument_on_another_device_is_named(name: str) -> None:
    tensors = draw(length=8)
    tensors[name] = tensors[name].to("meta")
    with pytest.raises(ShapeError, match=rf"^{name}: on meta: must be on cpu like u"):
        selective_scan(**tensors)


@needs_native
def test_forcing_native_where_there_is_no_kernel_is_an_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AUDIOFIX_SCAN", "native")
    with pytest.raises(DeviceError, match="no kernel for torch.float64"):
        selective_scan(**{name: t.double() for name, t in draw().items()})
