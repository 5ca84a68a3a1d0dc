"""Every golden case of AudioDec, seam by seam. The files say what is tested, not this module."""

import json

import fill as filler
import pytest
import torch
from goldens import SALT, Case, golden

from audiofix.backends import build

TOLERANCE = {"rtol": 1e-4, "atol": 2e-5}
"""Activations: 1e-5 of their scale by the specification, section 18, and the codec's 1e-4."""

MARGIN = 1e-3
"""Codes may differ where the second-best word is nearly as near, and after it in that frame."""

NOT_FILLED = ("pad_buffer", "window", "num_batches_tracked")


def filled(network, prefix="", salt=SALT):
    """Fill every tensor but counters and windows by its name behind `prefix`."""
    state = network.state_dict()
    for name, tensor in state.items():
        if not name.endswith(NOT_FILLED):
            values = filler.values(prefix + name, tensor.shape, salt)
            tensor.copy_(torch.from_numpy(values))
    return network.eval()


def check(found, expected):
    torch.testing.assert_close(found.detach(), expected, **TOLERANCE)


def check_codes(found, expected, margin):
    """Compare codes `[codebooks, ...]`, near ties excepted."""
    assert found.shape == expected.shape
    close = (margin < MARGIN).to(torch.int8).cummax(0).values.bool()
    assert close.float().mean() < 0.2
    assert torch.equal(found[~close], expected[~close].to(found.dtype))


def seams(network, places):
    """Return a dictionary that the outputs of submodules will be in after the next call."""
    found = {}

    def keep(name):
        return lambda _, __, output: found.setdefault(name, output)

    for name, place in places.items():
        network.get_submodule(place).register_forward_hook(keep(name))
    return found


@pytest.mark.parametrize("path", golden("audiodec", "keys-*.json"))
def test_state_dict_is_the_authors(path):
    expected = json.loads(path.read_text())
    if "discriminator" in path.stem:
        name = "audiodec.discriminator"
    else:
        name = "audiodec.vocoder" if "channels" in expected["config"] else "audiodec"
    network = build(name, expected["config"])
    state = network.state_dict()
    names = [n for n in expected["tensors"] if not n.endswith("pad_buffer")]
    assert list(state) == names
    assert all(list(state[n].shape) == expected["tensors"][n]["shape"] for n in names)
    assert sum(p.numel() for p in network.parameters()) == expected["parameters"]
    # With the buffers of somebody's stream in it, the authors' state dict loads all the same.
    shapes = {n: about["shape"] for n, about in expected["tensors"].items()}
    network.load_state_dict({n: torch.zeros(shape) for n, shape in shapes.items()})


@pytest.mark.parametrize("path", golden("audiodec", "sym*.npz"))
def test_autoencoder(path):
    case = Case(path)
    network = filled(build("audiodec", case.config))
    blocks = range(len(network.encoder.conv_blocks))
    places = {"enc_conv": "encoder.conv", "enc_out": "encoder", "dec_conv1": "decoder.conv1"}
    places |= {f"enc_block{i}": f"encoder.conv_blocks.{i}" for i in blocks}
    places |= {f"dec_block{i}": f"decoder.conv_blocks.{i}" for i in blocks}
    found = seams(network, places)
    with torch.no_grad():
        result = network(case["x"])
    for name, output in found.items():
        if name in case:
            check(output, case[name])
    for name in ("z", "zq", "y", "vqloss", "perplexity"):
        check(getattr(result, name), case[name])
    check_codes(result.codes, case["codes"].view_as(result.codes), case["margin"])


@pytest.mark.parametrize("path", golden("audiodec", "vocoder-*.npz"))
def test_vocoder(path):
    case = Case(path)
    network = filled(build("audiodec.vocoder", case.config))
    places = {"input_conv": "input_conv"}
    for i in range(len(network.blocks)):
        places |= {f"up{i}": f"upsamples.{i}", f"block{i}": f"blocks.{i}"}
    found = seams(network, places)
    with torch.no_grad():
        check(network(case["c"]), case["y"])
    for name, output in found.items():
        if name in case:
            check(output, case[name])
        if f"{name}_first8" in case:
            check(output[:, :8], case[f"{name}_first8"])
