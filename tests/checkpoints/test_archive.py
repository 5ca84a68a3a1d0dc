import random
import struct
import zipfile

import pytest

from audiofix.checkpoints.archive import extract
from audiofix.errors import CheckpointError


@pytest.fixture
def archive(tmp_path):
    path = tmp_path / "all.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as opened:
        opened.writestr("top/x.pth", random.Random(0).randbytes(10_000))
        opened.writestr("top/zeros.pth", bytes(20_000_000))
    return path


def test_a_member_is_copied(archive, tmp_path):
    extract(archive, "/x.*", tmp_path / "y")
    assert (tmp_path / "y").read_bytes() == random.Random(0).randbytes(10_000)


@pytest.mark.parametrize("name", ["zeros.pth", "nothing"])
def test_what_expands_without_measure_or_is_not_there_is_refused(archive, tmp_path, name):
    with pytest.raises(CheckpointError, match="refused|holds no"):
        extract(archive, name, tmp_path / "y")
    assert not (tmp_path / "y").exists()


def test_damage_anywhere_is_a_checkpoint_error(archive, tmp_path):
    whole = bytearray(archive.read_bytes())
    choose = random.Random(1)
    for _ in range(200):
        hurt = bytearray(whole)
        for _ in range(choose.randrange(1, 4)):
            hurt[choose.choice([choose.randrange(10_200), -1 - choose.randrange(300)])] ^= 0xFF
        archive.write_bytes(hurt)
        try:
            extract(archive, "x.pth", tmp_path / "y")
        except CheckpointError:
            assert not (tmp_path / "y").exists()
        (tmp_path / "y").unlink(missing_ok=True)


def test_an_encrypted_member_is_refused(archive, tmp_path):
    whole = bytearray(archive.read_bytes())
    for signature, offset in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        place = whole.find(signature) + offset
        struct.pack_into("<H", whole, place, 1)
    archive.write_bytes(whole)
    with pytest.raises(CheckpointError, match="damaged"):
        extract(archive, "x.pth", tmp_path / "y")
