"""Every golden case of AudioDec, seam by seam. The files say what is tested, not this module."""

import copy
import json

import fill as filler
import numpy as np
import pytest
import torch
from audiofix.trainers.losses.sound import (
    SoundLosses,
    SoundLossSettings,
    discriminator_losses,
    shape_distance,
)
from audiofix.trainers.losses.spectral import spectral_losses
from audiofix.trainers.recipe import Turn
from audiofix.trainers.recipes.audiodec import AudioDecRecipe, DataSettings, Settings
from corpus import corpus
from goldens import SALT, Case, golden

from audiofix.audio.format import AudioFormat
from audiofix.backends import build
from audiofix.backends.audiodec.codec import BLOCK_FRAMES, AudioDec
from audiofix.backends.audiodec.config import AutoencoderConfig, CodecConfig
from audiofix.backends.audiodec.quantizer import Quantizer
from audiofix.backends.placement import Placement
from audiofix.nn.conv import pack_weights
from audiofix.nn.state import StreamState
from audiofix.nn.weight_norm import fold_weight_norm
from audiofix.streaming.roundtrip import RoundTrip

TOLERANCE = {"rtol": 1e-4, "atol": 2e-5}
"""Activations: 1e-5 of their scale by the specification, section 18, and the codec's 1e-4."""

MARGIN = 1e-3
"""Codes may differ where the second-best word is nearly as near, and after it in that frame."""

GRADIENT = 1e-3
"""Deviation of a gradient, in units of its largest value."""

MEL_SIZE, MEL_HOP = (2048, 80), 300
"""Points of the transform and bands, and samples between frames: the specification, section 10."""

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
    assert torch.equal(found[~close], expected[~close].to(found.dtype))
    assert (found == expected).float().mean() > 0.98


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


@pytest.mark.parametrize("path", golden("audiodec", "vocoder-*.npz"))
def test_vocoder_in_a_stream_of_single_frames(path):
    case = Case(path)
    network = filled(build("audiodec.vocoder", case.config))
    fold_weight_norm(network)
    pack_weights(network)
    state = StreamState(time_major=True)
    frames = case["c"].transpose(1, 2).split(1, dim=1)
    with torch.no_grad():
        y = torch.cat([network(frame, state) for frame in frames], dim=1)
    check(y.transpose(1, 2), case["y_stream_reset"])


@pytest.mark.parametrize("path", golden("audiodec", "quantizer-re*.npz"))
def test_quantizer(path):
    case = Case(path)
    config = case.config
    size = config["codebook_size"]
    quantizer = Quantizer(config["code_dim"], size, config["codebook_num"])
    filled(quantizer, "quantizer.")
    result = quantizer(case["z"])
    check(result.vectors, case["zq_straight_through"])
    check_codes(result.codes[:, 0], case["codes"], case["margin"][:, 0])
    offset = torch.arange(config["codebook_num"])[:, None] * size
    check_codes(result.codes[:, 0] + offset, case["codes_flat"], case["margin"][:, 0])
    codebook = quantizer.codebook
    rows = case["z"][0].t()
    searched = codebook.search(rows, codebook.square_norms())
    assert torch.equal(searched.t(), result.codes[:, 0])
    check(quantizer.lookup(case["codes"].long()[:, None]), case["zq_lookup"])
    difference = (quantizer.lookup(result.codes) - result.vectors).abs().max()
    assert difference <= max(4 * float(case["diff_lookup"]), 1e-6)
    residual = rows
    for stage, expected in enumerate(case["residual_norm"]):
        residual = rows - codebook.lookup(searched.t()[: stage + 1])
        check(torch.linalg.vector_norm(residual, dim=1), expected[0])


@pytest.mark.parametrize("path", golden("audiodec", "quantizer-ema*.npz"))
def test_codebooks_learn_by_moving_averages(path):
    case = Case(path)
    config = case.config
    quantizer = Quantizer(config["code_dim"], config["codebook_size"], config["codebook_num"])
    filled(quantizer, "quantizer.").train()
    for step in (1, 2, 3):
        result = quantizer(case["z"])
        if f"zq_step{step}" in case:
            check(result.vectors, case[f"zq_step{step}"])
            check(result.losses, case[f"vqloss_step{step}"])
            check(result.perplexities, case[f"perplexity_step{step}"])
    for stage, codebook in enumerate(quantizer.codebook.layers):
        for name, tensor in codebook.state_dict().items():
            check(tensor, case[f"{name}{stage}_after3"])


@pytest.mark.parametrize("path", golden("audiodec", "train-step*.npz"))
def test_gradients_pass_straight_through_the_first_stage(path):
    case = Case(path)
    network = filled(build("audiodec", case.config)).train()
    z = network.projector(network.encoder(case["x"]))
    check(z, case["z"])
    z = case["z"].clone().requires_grad_()
    result = network.quantizer(z)
    check(result.vectors, case["zq"])
    check(result.losses, case["vqloss"])
    check(result.perplexities, case["perplexity"])
    check(result.losses.sum(), case["loss_vq_weighted"][0])
    ((result.vectors * case["grad_zq"]).sum() + result.losses.sum()).backward()
    check(z.grad, case["grad_z"])
    for name, expected in case.named("after:quantizer.").items():
        check(network.quantizer.state_dict()[name], expected)


def opened(case, start):
    """Return the codec of a golden stream, and its networks as they were before it took them."""
    config = case.config
    autoencoder = filled(build("audiodec", config))
    salt = config.get("encoder_and_projector_salt", SALT)
    for part in ("encoder", "projector"):
        filled(getattr(autoencoder, part), f"{part}.", salt)
    vocoder = filled(build("audiodec.vocoder", config)) if config.get("vocoder_params") else None
    settings = CodecConfig(config["rate"], autoencoder.config, vocoder and vocoder.config, start)
    networks = copy.deepcopy((autoencoder, vocoder))
    codec = AudioDec("golden", settings, *networks, Placement(torch.device("cpu")))
    return codec, autoencoder, vocoder


def offline(autoencoder, vocoder, x):
    with torch.no_grad():
        result = autoencoder(x)
        return result._replace(y=result.y if vocoder is None else vocoder(result.zq))


def streamed(codec, x, use):
    """Return codes `[codebooks, frames]` and samples `[1, 1, n]` of a signal `[1, 1, n]`."""
    encoder, decoder = codec.encoder(AudioFormat(codec.layout.rate, 1), use), codec.decoder(1, use)
    codes = np.concatenate([encoder.push(x[0].numpy()), encoder.flush()], axis=1)
    y = np.concatenate([decoder.push(codes), decoder.flush()], axis=1)
    return torch.from_numpy(codes[0].T.astype(np.int64)), torch.from_numpy(y)[None]


STREAMS = [*golden("audiodec", "stream-*.npz"), *golden("audiodec", "denoise-*.npz")]


@pytest.mark.parametrize("path", STREAMS)
def test_streams(path):
    case = Case(path)
    config = case.config["generator_params"]
    offset = torch.arange(config["codebook_num"])[:, None] * config["codebook_size"]
    margin = case["warm_margin"][:, 0]

    codec, autoencoder, vocoder = opened(case, "warm")
    whole = offline(autoencoder, vocoder, case["x"])
    check(whole.z, case["offline_z"])
    check_codes(whole.codes[:, 0], case["offline_codes"], margin)
    check(whole.y, case["offline_y"])

    warm_up = codec.sound_to_codes("file").warm_up_codes.T.astype(np.int64)[:, None]
    check(autoencoder.quantizer.lookup(torch.from_numpy(warm_up)), case["warm_zq"])
    for use in BLOCK_FRAMES:
        codes, y = streamed(codec, case["x"], use)
        check_codes(codes + offset, case["warm_whole_codes"], margin)
        check(y, case["warm_whole_y"])

    cold, _, _ = opened(case, "zeros")
    for use in BLOCK_FRAMES:
        codes, y = streamed(cold, case["x"], use)
        check_codes(codes + offset, case["reset_codes"], margin)
        check(y, case["reset_y"])


@pytest.mark.parametrize("path", STREAMS)
def test_a_stream_that_begins_as_whole_signals_do_is_the_whole_signal(path):
    case = Case(path)
    codec, autoencoder, vocoder = opened(case, "replicate")
    whole = offline(autoencoder, vocoder, case["x"])
    for use in BLOCK_FRAMES:
        codes, y = streamed(codec, case["x"], use)
        assert torch.equal(codes, whole.codes[:, 0])
        check(y, whole.y)


@pytest.mark.parametrize("path", golden("audiodec", "file-*.npz"))
def test_a_file_of_odd_length(path):
    case = Case(path)
    codec, _, _ = opened(case, "warm")
    codes, y = streamed(codec, case["x"], "file")
    assert torch.equal(
        codes, case["codes"].long() % case.config["generator_params"]["codebook_size"]
    )
    assert y.shape[-1] == int(case["y_before_cut_length"])
    trip = RoundTrip(codec, AudioFormat(codec.layout.rate, 1))
    x = case["x"][0].numpy()
    check(torch.from_numpy(np.concatenate([trip.push(x), trip.flush()], axis=1))[None], case["y"])


@pytest.mark.parametrize("path", golden("audiodec", "discriminator-*.npz"))
def test_discriminator(path):
    case = Case(path)
    network = filled(build("audiodec.discriminator", case.config))
    losses = SoundLosses(SoundLossSettings(adversarial=1.0, feature_matching=2.0), 48000, 300)
    with torch.no_grad():
        found = network(case["x"])
        parts = losses.adversarial(network, case["x_other"], case["x"])
        own = discriminator_losses(network, case["x_other"], case["x"])
    for index, maps in enumerate(found):
        shapes = [[*one.shape, *[0] * (4 - one.dim())] for one in maps]
        expected = case[f"d{index}_shapes"].tolist()
        assert [[n for n in shape if n > 0] for shape in expected] == [
            [n for n in shape if n > 0] for shape in shapes
        ]
        check(maps[0][:, :2], case[f"d{index}_layer0_first2"])
        check(maps[-1], case[f"d{index}_last"])
    check(parts["adversarial"][1], case["loss_generator"][0])
    check(parts["feature_matching"][1], case["loss_feature"][0])
    check(own["total"], case["loss_real"][0] + case["loss_fake"][0])


@pytest.mark.parametrize("path", golden("audiodec", "losses.npz"))
def test_losses(path):
    case = Case(path)
    losses = SoundLosses(SoundLossSettings(), case.config["rate"], 300)
    a, b = case["a"], case["b"]
    check(losses.mel_distance(a, b), case["loss_mel"][0])
    convergence, magnitude = spectral_losses(a[:, 0], b[:, 0])
    check(convergence, case["loss_sc"][0])
    check(magnitude, case["loss_mag"][0])
    check(shape_distance(a, b, 300), case["loss_shape"][0])


@pytest.mark.parametrize("path", golden("audiodec", "train-step*.npz"))
def test_a_step_of_training(path, tmp_path):
    """One turn of the recipe's losses, their gradients, and one step of Adam."""
    case = Case(path)
    model = AutoencoderConfig.from_mapping(case.config["generator_params"])
    settings = Settings(model=model, data=DataSettings(samples=case["x"].shape[-1]))
    recipe = AudioDecRecipe(settings, corpus(tmp_path), torch.device("cpu"))
    network = filled(recipe.networks["generator"]).train()
    batch = {"clean": case["x"], "input": case["x"]}
    losses = recipe.losses(Turn("generator", 0), batch).losses
    check(45 * losses["mel"], case["loss_mel_weighted"][0])
    check(losses["commitment"], case["loss_vq_weighted"][0])
    losses["total"].backward()
    parameters = dict(network.named_parameters())
    for name, expected in case.named("grad:").items():
        scale = expected.abs().max().item()
        torch.testing.assert_close(parameters[name].grad, expected, rtol=1e-3, atol=1e-5 * scale)
    torch.optim.AdamW(network.parameters(), 1e-4, (0.5, 0.9), weight_decay=0).step()
    for name, expected in case.named("after:").items():
        check(network.state_dict()[name], expected)
