"""Every golden case of Apollo, seam by seam. The files say what is tested, not this module."""

import json

import fill as filler
import numpy as np
import pytest
import torch
from audiofix.trainers.data.activity import active_shares, active_windows, power_threshold
from audiofix.trainers.recipes import apollo_losses as losses
from goldens import SALT, Case, deviation, filled, golden
from published.apollo import chunk_starts, join_chunks, join_chunks_msst
from published.circular_alignment import circular_delay, circularly_aligned
from torch.nn.functional import normalize

from audiofix.backends import build
from audiofix.backends.apollo.blocks import BandAttention
from audiofix.backends.apollo.discriminator import complex_spectra
from audiofix.nn.spectral_norm import SpectralNormConv2d

POWER_ITERATIONS = 15
"""Rounds after which the goldens' singular vectors were taken."""

TOLERANCE = {"output": 1e-5, "features": 1e-4, "relative": 1e-4, "exact": 1e-6}
"""Absolute, from section 9 of the specification; `relative` for losses and norms of gradients."""


def check(found, expected, seam):
    assert found.shape == expected.shape
    worst = float((found.detach().double() - expected.double()).abs().max())
    assert worst < TOLERANCE[seam], f"{worst} above {TOLERANCE[seam]}"


@pytest.mark.parametrize("path", golden("apollo", "keys-*.json"))
def test_state_dict_is_the_authors(path):
    expected = json.loads(path.read_text())
    name = "apollo.discriminator" if "nch" in expected["config"] else "apollo"
    network = build(name, expected["config"])
    state = network.state_dict()
    assert list(state) == list(expected["tensors"])
    assert {n: list(t.shape) for n, t in state.items()} == {
        n: about["shape"] for n, about in expected["tensors"].items()
    }
    assert sum(p.numel() for p in network.parameters()) == expected["parameters"]


def seams_of(network, x):
    """Return the output and every seam, laid out as in the goldens."""
    rows = x.flatten(0, 1)
    spectra = network.spectra(rows)
    features = network.encode(spectra)
    seams = {
        "power": network.power(spectra).transpose(1, 2),
        "features": features.permute(0, 2, 3, 1),
    }
    for index, block in enumerate(network.net):
        if index == 0:
            seams["roformer0"] = block.across(features.clone()).flatten(0, 1).transpose(1, 2)
        features = block(features.clone())
        seams[f"layer{index}"] = features.permute(0, 2, 3, 1)
    estimate = network.decode(features, spectra).transpose(1, 2)
    seams["est_spec"] = torch.view_as_real(estimate)
    return network(x), seams


@pytest.mark.parametrize("graded", [False, True], ids=["in-place", "with-gradients"])
@pytest.mark.parametrize("path", golden("apollo", "generator-*-reduced.npz"))
def test_generator(path, graded):
    case = Case(path)
    network = filled(build("apollo", case.config))
    with torch.set_grad_enabled(graded):
        output, seams = seams_of(network, case["input"])
    check(output, case["output"], "output")
    for name in ("power", "features", "roformer0", "layer0", "layer1", "est_spec"):
        if name in case:
            check(seams[name], case[name], "features")


@pytest.mark.slow
@pytest.mark.parametrize("path", golden("apollo", "generator-256x6.npz"))
def test_released_generator(path):
    case = Case(path)
    network = filled(build("apollo", case.config))
    with torch.no_grad():
        output, seams = seams_of(network, case["input"])
    check(output, case["output"], "output")
    check(seams["power"], case["power"], "features")
    for name in ("features", "layer0", "layer2", "layer5"):
        part = seams[name][:, case["bands"], : int(case["channels"])]
        check(part, case[name], "features")
    found = seams["est_spec"].std((0, 1, 2)) if len(case["est_spec_std"]) == 2 else None
    assert torch.allclose(found, case["est_spec_std"], rtol=1e-2)


@pytest.mark.parametrize("path", golden("apollo", "roformer-reduced.npz"))
def test_attention_across_bands(path):
    case = Case(path)
    layer = filled(BandAttention(case.config["hidden_size"]))
    x = case["input"].transpose(1, 2)
    check(layer.cos_freq, case["cos"], "exact")
    check(layer.sin_freq, case["sin"], "exact")
    with torch.no_grad():
        normed = layer.input_norm(x)
        check(normed.transpose(1, 2), case["normed"], "output")
        _, keys, values = layer.project(normed)
        check(keys, case["k_rot"], "output")
        check(values, case["v"], "output")
        check(layer.hidden(x).transpose(1, 2), case["mlp_hidden_of_input"], "output")
        check(layer(x).transpose(1, 2), case["output"], "output")


def discriminator_of(case):
    """Return the case's discriminator, its singular vectors found from filled ones."""
    settings = {name: case.config[name] for name in ("nch", "window") if name in case.config}
    network = filled(build("apollo.discriminator", settings))
    for name, layer in network.named_modules():
        if isinstance(layer, SpectralNormConv2d):
            values = filler.values(f"{name}.weight_u", layer.weight_u.shape, SALT)
            layer.weight_u.copy_(normalize(torch.from_numpy(values), dim=0))
            for _ in range(POWER_ITERATIONS):
                layer.iterate()
    state = network.state_dict()
    for name, expected in case.named("state/").items():
        check(state[name], expected, "output")
    return network


@pytest.mark.parametrize("path", golden("apollo", "discriminator.npz"))
def test_discriminator(path):
    case = Case(path)
    with torch.no_grad():
        scores, maps = discriminator_of(case)(case["input"])
    for window, score, features in zip(case.config["window"], scores, maps, strict=True):
        check(score, case[f"output_{window}"], "output")
        found = torch.stack([one.abs().mean() for one in features])
        check(found, case[f"map_mean_abs_{window}"], "output")
        if f"first_map_{window}" in case:
            first = features[0]
            check(
                first[:, : case[f"first_map_{window}"].shape[1]],
                case[f"first_map_{window}"],
                "output",
            )


@pytest.mark.parametrize("path", golden("apollo", "chunks.npz"))
def test_authors_chunks(path):
    case = Case(path)
    for index, plan in enumerate(case.config["plans"]):
        samples = case["input"].shape[-1]
        starts = chunk_starts(samples, plan["chunk"], plan["overlap"])
        assert starts == case[f"starts_{index}"].tolist()
        found = join_chunks(rising, case["input"], plan["chunk"], plan["overlap"])
        check(found, case[f"output_{index}"], "exact")


@pytest.mark.parametrize("path", golden("apollo", "chunks-msst.npz"))
def test_msst_chunks(path):
    case = Case(path)
    for index, plan in enumerate(case.config["plans"]):
        found = join_chunks_msst(
            rising, case["input"], plan["chunk_size"], plan["num_overlap"], plan["batch_size"]
        )
        check(found, case[f"output_{index}"], "exact")


def rising(x):
    """Return the toy model's output: louder towards the end of what it is given."""
    return x * torch.linspace(0.5, 1.5, x.shape[-1])


@pytest.mark.parametrize("path", golden("apollo", "losses.npz"))
def test_losses(path):
    case = Case(path)
    discriminator = discriminator_of(case)
    estimate, target = case["input"], case["target"]
    stored = case["stft64_of_input"]
    check(torch.view_as_real(complex_spectra(estimate.flatten(0, 1), 64)), stored, "output")
    with torch.no_grad():
        real_scores, real_maps = discriminator(target)
        scores, maps = discriminator(estimate)
    matched = losses.feature_matching(real_maps, maps)
    made = losses.spectral_loss(estimate, target)
    found = {
        "loss_d": losses.discriminator_loss(real_scores, scores),
        "loss_g": made + losses.adversarial_loss(scores) + matched,
        "freq_mae": made,
    }
    for window in case.config["window"]:
        found[f"freq_term_{window}"] = losses.magnitude_distance(estimate, target, window)
    close = 0.5 * target + 0.02 * estimate
    for kind in ("snr", "sisdr", "sdsdr"):
        found[f"neg_{kind}"] = losses.negative_ratio(estimate, target, kind)
        found[f"neg_{kind}_close"] = losses.negative_ratio(close, target, kind)
    for name, value in found.items():
        assert float(value) == pytest.approx(float(case[name]), rel=TOLERANCE["relative"]), name


@pytest.mark.parametrize("path", golden("apollo", "train-step-*.npz"))
def test_training_step(path):
    case = Case(path)
    generator = filled(build("apollo", case.config["generator"])).train()
    discriminator = discriminator_of(case).train()
    rates = {generator: (1e-3, (0.9, 0.999)), discriminator: (1e-4, (0.5, 0.99))}
    optimisers = {
        network: torch.optim.AdamW(network.parameters(), rate, betas, weight_decay=0.01)
        for network, (rate, betas) in rates.items()
    }

    def descend(network, loss):
        optimisers[network].zero_grad()
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(network.parameters(), case.config["clip"])
        return float(norm)

    original = case["original"]
    for step in range(2):
        estimate = generator(case["codec"])
        if step == 0:
            check(estimate, case["output_0"], "output")
        fake, _ = discriminator(estimate.detach())
        real, _ = discriminator(original)
        loss_d = losses.discriminator_loss(real, fake)
        norm_d = descend(discriminator, loss_d)
        optimisers[discriminator].step()
        scores, maps = discriminator(estimate)
        _, real_maps = discriminator(original)
        loss_g = losses.spectral_loss(estimate, original) + losses.adversarial_loss(scores)
        loss_g = loss_g + losses.feature_matching(real_maps, maps)
        norm_g = descend(generator, loss_g)
        gradients = {name: p.grad for name, p in generator.named_parameters()}
        for name, expected in case.named(f"grad_{step}/").items():
            assert deviation(gradients[name], expected) < 1e-3, name
        optimisers[generator].step()
        for name, value in {
            "loss_d": loss_d.detach(),
            "loss_g": loss_g.detach(),
            "grad_norm_d": norm_d,
            "grad_norm_g": norm_g,
        }.items():
            expected = float(case[f"{name}_{step}"])
            assert float(value) == pytest.approx(expected, rel=1e-3), (name, step)


@pytest.mark.parametrize("path", golden("apollo", "codec-align.npz"))
def test_authors_alignment(path):
    case = Case(path)
    original = case.arrays["input"]
    count = sum(name.startswith("decoded_") for name in case.arrays)
    for index in range(count):
        decoded = case.arrays[f"decoded_{index}"]
        filled_up = np.concatenate([decoded, original[:, decoded.shape[1] :]], axis=1)
        found = [
            circular_delay(filled_up[channel, : original.shape[1]], original[channel])
            for channel in range(len(original))
        ]
        assert found == case.arrays[f"tau_{index}"].tolist()
        aligned = circularly_aligned(decoded, original)
        assert np.array_equal(aligned, case.arrays[f"aligned_{index}"])


@pytest.mark.parametrize("path", golden("apollo", "segments.npz"))
def test_source_activity(path):
    case = Case(path)
    config = case.config
    rate, frame, seconds = config["rate"], config["window"], config["length_seconds"]
    x = filler.signal(config["name"], 2, config["samples"], rate, config["salt"])
    x = x * np.repeat(case.arrays["gain"], rate)[: x.shape[1]]
    threshold = power_threshold(x, rate, frame)
    assert threshold == pytest.approx(float(case["threshold"]), rel=TOLERANCE["relative"])
    shares = active_shares(x, rate, threshold, seconds=seconds, frame=frame)
    assert shares == pytest.approx(case["ratios"].tolist(), abs=TOLERANCE["exact"])
    found = active_windows(x, rate, seconds=seconds, frame=frame)
    assert [start // (seconds * rate // 2) for start in found] == [
        start // (seconds * rate // 2) if start > 100 else start
        for start in case["starts"].tolist()
    ]
