import sys
import zipfile

import pytest
import torch
from torch.package import PackageExporter, PackageImporter

from audiofix.backends.asgan.package import read_package
from audiofix.errors import CheckpointError

pytestmark = [
    pytest.mark.filterwarnings("ignore:.*weight_norm.*:FutureWarning"),
    pytest.mark.filterwarnings("ignore:TypedStorage is deprecated"),
]

SOURCE = """
from torch import nn

{trap}


class Settings(dict):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.__dict__ = self


class Net(nn.Module):
    def __init__(self, normed):
        super().__init__()
        self.h = Settings(sampling_rate=16000, upsample_rates=[10, 8])
        conv = nn.Conv1d(2, 3, 5)
        self.conv_pre = nn.utils.weight_norm(conv) if normed else conv
        self.ups = nn.ModuleList([nn.ConvTranspose1d(3, 2, 4)])
        self.register_buffer("small", self.ups[0].weight.detach().half()[:, 1:, ::2])
"""


@pytest.fixture
def package(tmp_path, monkeypatch):
    """Return a maker of packages of a module whose source may hold a trap."""

    def make(*, normed=False, trap=""):
        (tmp_path / "foreign.py").write_text(SOURCE.format(trap=trap))
        monkeypatch.syspath_prepend(tmp_path)
        monkeypatch.delitem(sys.modules, "foreign", raising=False)
        import foreign

        torch.manual_seed(0)
        network = foreign.Net(normed)
        path = tmp_path / "net.pth"
        with PackageExporter(path) as exporter:
            exporter.intern("foreign")
            exporter.extern("torch.**")
            exporter.save_pickle(".", "hifigan_pkl.pt", network)
        (tmp_path / "foreign.py").unlink()
        del sys.modules["foreign"]
        return path, network

    return make


@pytest.mark.parametrize("normed", [False, True])
def test_all_tensors_come_back(package, normed):
    path, network = package(normed=normed)
    tensors, settings = read_package(path)
    expected = network.state_dict()
    assert set(tensors) == set(expected)
    assert all(torch.equal(tensors[name], tensor) for name, tensor in expected.items())
    assert tensors["small"].dtype is torch.float16
    assert settings == {"sampling_rate": 16000, "upsample_rates": [10, 8]}
    assert any(name.endswith("weight_g") for name in tensors) is normed


def test_the_code_in_a_package_never_runs(package, tmp_path):
    witness = tmp_path / "ran"
    path, _ = package(trap=f"open({str(witness)!r}, 'w').close()")
    assert witness.exists()  # torch itself ran it when the package was made
    witness.unlink()
    read_package(path)
    assert not witness.exists()
    PackageImporter(path).load_pickle(".", "hifigan_pkl.pt")
    assert witness.exists()  # as the authors' way of reading does


def test_pickles_that_name_functions_get_bags(tmp_path):
    path = tmp_path / "net.pth"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("net/hifigan_pkl.pt", b"cos\nsystem\n(S'touch ran'\ntR.")
    with pytest.raises(CheckpointError, match="holds no module"):
        read_package(path)
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 cut", b"no zip at all"])
def test_what_is_no_package_is_refused(tmp_path, content):
    path = tmp_path / "net.pth"
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match="fetch it again"):
        read_package(path)


def test_a_cut_package_is_refused(package):
    path, _ = package()
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(CheckpointError, match="fetch it again"):
        read_package(path)
