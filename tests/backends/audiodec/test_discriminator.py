import json

import pytest
import torch
from goldens import golden

from audiofix.backends import build
from audiofix.backends.audiodec.discriminator import published
from audiofix.errors import SettingsError


@pytest.mark.parametrize("path", golden("audiodec", "keys-discriminator_*.json"))
def test_the_published_tables(path):
    kind = path.stem.rpartition("_")[2]
    expected = json.loads(path.read_text())
    with torch.device("meta"):
        network = build("audiodec.discriminator", published(kind))
    shapes = {name: list(tensor.shape) for name, tensor in network.state_dict().items()}
    assert shapes == {name: about["shape"] for name, about in expected["tensors"].items()}


@pytest.mark.parametrize("kind", ["hifigan", "univnet"])
@pytest.mark.parametrize("divisor", [4, 8])
def test_narrower_ones_have_as_many_maps(kind, divisor):
    network = build("audiodec.discriminator", published(kind, divisor))
    x = torch.randn(1, 1, 2400, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        found = network(x)
    assert [len(maps) for maps in found] == [8 if kind == "hifigan" else 6] * 3 + [6] * 5
    assert found[-1][0].shape[1] == 32 // divisor
    assert all(maps[-1].shape[1] == 1 or maps[-1].dim() == 2 for maps in found)


def test_other_divisors_are_refused():
    with pytest.raises(SettingsError, match=r"discriminator\.divisor: 3"):
        published("hifigan", 3)
