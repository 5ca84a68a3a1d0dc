import numpy as np
import pytest
import torch
from tiny import tiny_asgan_checkpoint

from audiofix.backends.asgan.generate import open
from audiofix.backends.asgan.released import VOCODER_PREFIX
from audiofix.backends.asgan.vocoder import Vocoder, vocoder_config
from audiofix.backends.placement import Placement
from audiofix.backends.tasks import GenerateRequest, Latents, StyleMix
from audiofix.backends.weights import Checkpoint, read_checkpoint
from audiofix.errors import CheckpointError, UsageError

CPU = Placement(torch.device("cpu"))
VOCODER = {
    "hubert_dim": 16,
    "hifi_dim": 8,
    "upsample_initial_channel": 16,
    "upsample_rates": [4, 2],
    "upsample_kernel_sizes": [8, 4],
    "hop_size": 8,
}


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    return read_checkpoint(tiny_asgan_checkpoint(tmp_path_factory.mktemp("m") / "t.safetensors"))


@pytest.fixture(scope="module")
def model(checkpoint):
    return open(checkpoint, CPU)


def made(model, **request):
    return np.concatenate(list(model.samples(GenerateRequest(**request))))


def test_a_recording_is_the_same_whatever_its_company(model):
    many = made(model, count=4, seed=3)
    assert many.shape == (4, 16000) and many.dtype == np.float32
    np.testing.assert_array_equal(made(model, count=3, seed=3), many[:3])
    assert np.abs(many[0] - many[1]).max() > 1e-3
    assert np.abs(made(model, count=1, seed=4)[0] - many[0]).max() > 1e-3
    # 12 frames of 256 samples in the middle of a second
    assert not many[:, :6464].any() and not many[:, 9536:].any() and many[:, 6464:9536].any()


def test_one_draw_of_all_latents_is_the_authors(model):
    torch.manual_seed(5)
    z = torch.randn(4, 8).numpy()
    found = model.latents(GenerateRequest(4, 5, batch_draw=True))
    assert found.kind == "z"
    np.testing.assert_array_equal(found.values, z)


def test_latents_that_are_returned_make_the_same_sound(model):
    for request in (
        GenerateRequest(2, 1),
        GenerateRequest(2, 1, truncation=0.5),
        GenerateRequest(2, 1, interpolate=2),
        GenerateRequest(2, 1, mix=StyleMix(model.drawn(1, 9), 2, 3)),
    ):
        latents = model.latents(request)
        again = made(model, latents=latents)
        np.testing.assert_array_equal(again, np.concatenate(list(model.samples(request))))


def test_truncation_moves_towards_the_mean(model):
    mean = model.synthesise(model.mean_latent[None])
    np.testing.assert_allclose(made(model, count=2, truncation=0.0), mean.repeat(2, 0), atol=1e-6)
    w = model.latents(GenerateRequest(1, 0)).values
    half = model.latents(GenerateRequest(1, 0, truncation=0.5)).values
    expected = (model.map(w) + model.mean_latent) / 2
    np.testing.assert_allclose(half, expected, atol=1e-6)


def test_mixing_takes_the_styles_that_are_named(model):
    others = model.drawn(1, 9)
    request = GenerateRequest(2, 1, mix=StyleMix(others, 2, 3))
    found = model.latents(request).values
    own = model.map(model.drawn(2, 1).values)
    assert found.shape == (2, model.styles, 8) and model.styles == 4
    np.testing.assert_allclose(found[:, :2], own[:, None].repeat(2, 1), atol=1e-6)
    np.testing.assert_array_equal(
        found[:, 2:], model.map(others.values)[None].repeat(2, 0)[:, [0, 0]]
    )
    with pytest.raises(UsageError, match="styles 0 to 3"):
        made(model, mix=StyleMix(others, 2, 4))


def test_matching_comes_nearer_with_every_step(model):
    target = made(model, count=1, seed=2)
    steps = []

    def distance(count):
        latents = model.match(target, count, steps.append)
        assert latents.values.shape == (1, model.styles, 8)
        with torch.inference_mode():
            found = model.generator.synthesise(torch.from_numpy(latents.values))
            wanted = model.mel.analyse(torch.from_numpy(target[:, 6464:9536]))
        return (found - wanted).abs().mean().item()

    assert distance(60) < 0.95 * distance(5) < 0.95 * distance(1)
    assert steps == [*range(1, 61), *range(1, 6), 1]


def test_latents_of_another_model_are_refused(model):
    for latents in (
        Latents("z", np.zeros((2, 7), np.float32)),
        Latents("w", np.zeros((2, 3, 8), np.float32)),
        Latents("z", np.zeros((0, 8), np.float32)),
    ):
        with pytest.raises(UsageError, match="tiny wants"):
            made(model, latents=latents)


def test_a_vocoder_makes_the_sound_where_there_is_one(checkpoint):
    vocoder = Vocoder(vocoder_config(VOCODER))
    tensors = {VOCODER_PREFIX + name: one for name, one in vocoder.state_dict().items()}
    config = {"generator": checkpoint.config["generator"], "vocoder": VOCODER}
    whole = Checkpoint("tiny", "asgan", config, {**checkpoint.tensors, **tensors}, "")
    model = open(whole, CPU)
    z = model.drawn(2, 0).values
    with torch.inference_mode():
        expected = vocoder(model.generator(torch.from_numpy(z)))[:, 0]
    found = model.synthesise(model.map(z))
    middle = (16000 - 96) // 2
    torch.testing.assert_close(torch.from_numpy(found[:, middle : middle + 96]), expected)
    with pytest.raises(CheckpointError, match="neither a vocoder nor a mel"):
        open(
            Checkpoint("tiny", "asgan", {"generator": config["generator"]}, whole.tensors, ""), CPU
        )
