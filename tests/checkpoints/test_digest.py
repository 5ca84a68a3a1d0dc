import hashlib

from audiofix.checkpoints.digest import sha256_of


def test_a_large_file_has_the_digest_of_its_bytes(tmp_path):
    content = bytes(range(256)) * 5000 + b"end"
    path = tmp_path / "file"
    path.write_bytes(content)
    assert sha256_of(path) == hashlib.sha256(content).hexdigest()
