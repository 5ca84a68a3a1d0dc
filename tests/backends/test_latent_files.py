import numpy as np
import pytest

from audiofix.backends.latent_files import read_latents, write_latents
from audiofix.backends.tasks import Latents
from audiofix.errors import InputError, OutputError, UsageError

VALUES = np.arange(12, dtype=np.float32).reshape(2, 3, 2)


@pytest.mark.parametrize("name", ["a.safetensors", "a.npz"])
def test_what_is_saved_is_read_again(tmp_path, name):
    write_latents(tmp_path / name, Latents("w", VALUES))
    found = read_latents(tmp_path / name)
    assert found.kind == "w"
    np.testing.assert_array_equal(found.values, VALUES)
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_a_bare_array_holds_gaussian_vectors(tmp_path):
    write_latents(tmp_path / "z.npy", Latents("z", VALUES[0]))
    assert read_latents(tmp_path / "z.npy").kind == "z"
    with pytest.raises(UsageError, match="cannot say that these are w"):
        write_latents(tmp_path / "w.npy", Latents("w", VALUES))
    assert not (tmp_path / "w.npy").exists()


def test_existing_files_are_replaced_only_if_asked(tmp_path):
    path = tmp_path / "a.npz"
    write_latents(path, Latents("z", VALUES[0]))
    with pytest.raises(OutputError, match="exists"):
        write_latents(path, Latents("z", VALUES[1]))
    write_latents(path, Latents("z", VALUES[1]), overwrite=True)
    np.testing.assert_array_equal(read_latents(path).values, VALUES[1])
    with pytest.raises(UsageError, match="latents are saved as"):
        write_latents(tmp_path / "a.wav", Latents("z", VALUES[0]))


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.npz", b"no zip", "no latents"),
        ("a.safetensors", b"", "no latents"),
        ("missing.npz", None, "no latents"),
        ("a.npy", {"z": np.array([{}])}, "no latents"),
        ("a.npz", {"x": VALUES}, "no array z or w"),
        ("a.npz", {"z": VALUES[0, 0]}, "must be"),
        ("a.npz", {"z": np.array([[np.nan]])}, "NaN"),
    ],
)
def test_what_holds_no_latents_is_refused(tmp_path, name, content, message):
    path = tmp_path / name
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif content and path.suffix == ".npy":
        np.save(path, content["z"], allow_pickle=True)
    elif content:
        np.savez(path, **content)
    with pytest.raises(InputError, match=message):
        read_latents(path)
