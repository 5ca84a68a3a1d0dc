import numpy as np
import pytest
import torch
from tiny import tiny_checkpoint, tiny_codec_checkpoint

import audiofix
from audiofix.errors import AudiofixError, InputError, OutputError, UsageError


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return str(tiny_checkpoint(tmp_path_factory.mktemp("models") / "tiny.safetensors"))


X = (np.random.default_rng(0).standard_normal((2, 5001)) * 0.1).astype(np.float32)


def test_numpy_in_numpy_out_torch_in_torch_out(model):
    y = audiofix.upsample(X, 16000, to=48000, model=model)
    assert isinstance(y, np.ndarray) and y.shape == (2, 15003) and y.dtype == np.float32
    mono = audiofix.upsample(X[0], 16000, to=48000, model=model)
    assert mono.shape == (15003,)
    t = audiofix.upsample(torch.from_numpy(X), 16000, to=48000, model=model)
    assert isinstance(t, torch.Tensor) and np.array_equal(t.numpy(), y)


def test_a_stage_gives_the_same_bits(model):
    stage = audiofix.open_stage("upsample", rate=16000, channels=2, to=48000, model=model)
    assert stage.output_length(5001) == 15003 and stage.latency > 0
    parts = [stage.push(X[:, i : i + 617]) for i in range(0, 5001, 617)]
    y = np.concatenate([*parts, stage.flush()], axis=1)
    assert np.array_equal(y, audiofix.upsample(X, 16000, to=48000, model=model))


def test_a_mix_of_model_and_input(model):
    half, whole, none = (
        audiofix.upsample(X, 16000, to=48000, mix=mix, model=model) for mix in (0.5, 1.0, 0)
    )
    assert half.shape == whole.shape == none.shape == (2, 15003)
    assert half == pytest.approx((whole + none) / 2, abs=1e-6)
    assert np.abs(whole - none).max() > 1e-3
    with pytest.raises(UsageError, match="mix"):
        audiofix.open_stage("codec_roundtrip", rate=16000, channels=1, mix=0.5)


def test_an_empty_recording_stays_empty(model):
    assert audiofix.upsample(X[:, :0], 16000, to=48000, model=model).shape == (2, 0)


def test_what_makes_no_sense_is_refused(model):
    with pytest.raises(InputError, match="shape"):
        audiofix.upsample(X[None], 16000, to=48000, model=model)
    with pytest.raises(InputError, match="NaN"):
        audiofix.upsample(np.full(10, np.nan, np.float32), 16000, to=48000, model=model)
    for wrong in ({"to": None}, {"to": 0}, {"rate": 0}, {"channels": 0}, {"verb": "downsample"}):
        options = {"verb": "upsample", "rate": 16000, "channels": 1, "to": 48000, **wrong}
        with pytest.raises(UsageError):
            audiofix.open_stage(options.pop("verb"), model=model, **options)


def test_a_rate_may_be_a_float(model):
    y = audiofix.upsample(X, 16000.0, to=np.float64(48000), model=model)
    assert y.shape == (2, 15003)
    assert np.array_equal(audiofix.upsample(X, "16k", to="48k", model=model), y)


def test_every_wrong_argument_is_named(model):
    calls = {
        "x": lambda: audiofix.upsample(X + 1j, 16000, to=48000, model=model),
        "rate": lambda: audiofix.upsample(X, "fast", to=48000, model=model),
        "to": lambda: audiofix.upsample(X, 16000, to=48000.5, model=model),
        "cutoff": lambda: audiofix.upsample(X, 16000, to=48000, cutoff="high", model=model),
        "mix": lambda: audiofix.upsample(X, 16000, to=48000, mix=1.5, model=model),
        "steps": lambda: audiofix.upsample(X, 16000, to=48000, steps=1.5, model=model),
        "seed": lambda: audiofix.upsample(X, 16000, to=48000, seed=-1, model=model),
        "model": lambda: audiofix.upsample(X, 16000, to=48000, model=7),
        "device": lambda: audiofix.upsample(X, 16000, to=48000, model=model, device=0),
        "gaps": lambda: audiofix.inpaint(X, 16000, gaps=[(1,)]),
        "count": lambda: audiofix.generate(count="4"),
        "channels": lambda: audiofix.open_stage("upsample", rate=1, channels=2.5, to=2),
        "codes": lambda: audiofix.decode(X),
        "verb": lambda: audiofix.open_stage(["upsample"], rate=1, channels=1),
    }
    for name, call in calls.items():
        with pytest.raises(AudiofixError, match=name):
            call()


def test_files_are_read_and_written_to_the_sample(tmp_path):
    for name, bits, error in (
        ("x.wav", None, 0),
        ("x.flac", "24", 2**-22),
        ("y.wav", "16", 2**-14),
    ):
        audiofix.write(tmp_path / name, X, "44.1k", bits=bits)
        y, rate = audiofix.read(str(tmp_path / name))
        assert rate == 44100 and y.shape == X.shape and np.abs(y - X).max() <= error
    with pytest.raises(OutputError, match="exists"):
        audiofix.write(tmp_path / "x.wav", X[0], 44100)
    audiofix.write(tmp_path / "x.wav", X[0], 44100, overwrite=True)
    assert audiofix.read(tmp_path / "x.wav")[0].shape == (1, 5001)
    (tmp_path / "cut.wav").write_bytes((tmp_path / "y.wav").read_bytes()[:-100])
    with pytest.raises(InputError, match="cut"):
        audiofix.read(tmp_path / "cut.wav")


def test_codes_come_back_in_the_shape_that_went_in(tmp_path):
    model = str(tiny_codec_checkpoint(tmp_path / "codec.safetensors"))
    for x in (X, X[0], X[:1], torch.from_numpy(X[0])):
        codes = audiofix.encode(x, 8000, model=model)
        assert audiofix.decode(codes, model=model).shape == x.shape
    codes.save(tmp_path / "x.afc")
    loaded = audiofix.load_codes(tmp_path / "x.afc")
    assert audiofix.decode(loaded, model=model).shape == (1, 5001)


def test_names_that_are_not_there():
    assert set(audiofix.__all__) <= set(dir(audiofix))
    with pytest.raises(AttributeError, match="nonsense"):
        audiofix.nonsense  # noqa: B018
