"""Every golden case of ASGAN, seam by seam. The files say what is tested, not this module."""

import json

import fill as filler
import numpy as np
import pytest
import torch
from audiofix.trainers.losses.adversarial import logistic_discriminator, logistic_generator
from audiofix.trainers.losses.gradient_penalty import r1_penalty
from audiofix.trainers.recipes.asgan.adaptive_augmentation import AdaptiveAugmentation
from audiofix.trainers.recipes.asgan.features import SILENCE, fit_frames
from goldens import SALT, Case, golden

from audiofix.backends import build
from audiofix.backends.asgan.config import GeneratorConfig
from audiofix.backends.asgan.features import MelConfig
from audiofix.backends.asgan.generate import ASGAN
from audiofix.backends.asgan.input_waves import FourierFeature, SynthesisInput
from audiofix.backends.asgan.network import Mapping, StyleLayer
from audiofix.backends.asgan.resampling import Resampler, layer_cutoffs
from audiofix.backends.placement import Placement
from audiofix.backends.tasks import GenerateRequest, Latents
from audiofix.dsp.mel import mel_filters
from audiofix.metrics import generation
from audiofix.nn.weight_norm import fold_weight_norm

REDUCED = {"rtol": 0, "atol": 2e-5}
REAL = {"rtol": 0, "atol": 1e-4}
"""The specification, section 10."""

LOGITS = 1e-5
"""Relative: a discriminator's values reach hundreds."""

FILLED_BUFFERS = (
    "freqs", "phases", "B", "running_mean", "running_var"
)  # fmt: skip


def filled(module, case, *, scales="rescale", prefix=""):
    """Fill parameters and the buffers that training learns or draws; then as section 10 says."""
    state = module.state_dict()
    parameters = dict(module.named_parameters())
    for name, tensor in state.items():
        if name in parameters or name.rsplit(".", 1)[-1] in FILLED_BUFFERS:
            values = filler.values(prefix + name, tensor.shape, case.config.get("salt", SALT))
            tensor.copy_(torch.from_numpy(values))
    if scales in case:
        for name, factor in json.loads(case.arrays[scales].item()).items():
            state[name.removeprefix(prefix)].mul_(factor)
    for name, value in case.named("state/").items():
        if name.removeprefix(prefix) in state:
            state[name.removeprefix(prefix)].copy_(value.squeeze())
    return module.eval()


def tolerance(path):
    return REAL if "real" in path.stem else REDUCED


def check(found, expected, limits=REDUCED):
    torch.testing.assert_close(found.detach(), expected, **limits)


def check_scale(found, expected, limit=LOGITS):
    """Compare in units of the largest value."""
    scale = expected.abs().max().item()
    torch.testing.assert_close(found.detach(), expected, rtol=0, atol=limit * scale)


def seams(network, places):
    """Return a dictionary that the outputs of submodules will be in after the next call."""
    found = {}

    def keep(name):
        def hook(_, __, output):
            found.setdefault(name, output)  # must return None: a hook's result replaces the output

        return hook

    for name, place in places.items():
        network.get_submodule(place).register_forward_hook(keep(name))
    return found


NETWORKS = {
    "generator": "asgan",
    "discriminator": "asgan.discriminator",
    "vocoder": "asgan.vocoder",
    "classifier": "asgan.classifier",
}
KEYS = [one for name in NETWORKS for one in golden("asgan", f"keys-{name}_*.json")]


@pytest.mark.parametrize("path", KEYS)
def test_state_dict_is_the_authors(path):
    expected = json.loads(path.read_text())
    with torch.device("meta" if "classifier" in path.stem else "cpu"):
        network = build(NETWORKS[path.stem[5:].split("_")[0]], expected["config"])
    if "folded" in path.stem:
        fold_weight_norm(network)
    found = {name: list(tensor.shape) for name, tensor in network.state_dict().items()}
    assert list(found) == list(expected["tensors"])
    assert found == {name: about["shape"] for name, about in expected["tensors"].items()}
    assert sum(p.numel() for p in network.parameters()) == expected["parameters"]


@pytest.mark.parametrize("path", golden("asgan", "filters.npz"))
def test_filters(path):
    case = Case(path)
    for index, (up, down, up_cutoff, down_cutoff) in enumerate(case.config["settings"]):
        cutoffs = [None if one == "critical" else one for one in (up_cutoff, down_cutoff)]
        resampler = Resampler(up, down, *cutoffs)
        check(resampler.up_lpf_filter, case[f"up_filter{index}"])
        check(resampler.down_lpf_filter, case[f"down_filter{index}"])
        check(resampler.up(case["x"]), case[f"up{index}"])
        check(resampler.down(case["x"]), case[f"down{index}"])
    check(torch.tensor(layer_cutoffs(14, 0.125, 0.45, 2)), case["cutoffs"])


@pytest.mark.parametrize("path", golden("asgan", "mapping-*.npz"))
def test_mapping(path):
    case = Case(path)
    config = {k: v for k, v in case.config.items() if k != "prefix"}
    mapping = filled(Mapping(GeneratorConfig.from_mapping(config)), case, prefix="W.")
    count = config["w_layers"]
    found = seams(mapping, {f"act{i}": f"fcs.{2 * i + 1}" for i in range(count)})
    check(mapping(case["z"]), case["w"])
    for name, output in found.items():
        check(output, case[name])


@pytest.mark.parametrize("path", golden("asgan", "input-*.npz"))
def test_input_waves(path):
    case = Case(path)
    config = case.config
    size = config["w_dim"], config["channels"], config["seq_len"], config["equalized_lr"]
    kind = SynthesisInput if "Synthesis" in config["class"] else FourierFeature
    waves = filled(kind(*size), case, prefix="ff.")
    check(waves.waves(case["w"]), case["waves"])
    check(waves(case["w"]), case["y"])


@pytest.mark.parametrize("path", golden("asgan", "style-layer-*.npz"))
def test_style_layer(path):
    case = Case(path)
    config = case.config
    layer = StyleLayer(
        config["c_in"],
        config["c_out"],
        config["w_dim"],
        config["kernel_size"],
        slope=config["lrelu_coeff"],
        equalized=config["equalized_lr"],
        normalize=config.get("normalize", True),
        up=config["up_factor"],
        down=config["down_factor"],
        cutoffs=(config.get("up_fc"), config.get("down_fc")),
    )
    filled(layer, case, prefix="layer.")
    found = {"conv": layer.convolve(case["x"], case["w"])}
    found["upsampled"] = layer.resampler.up(found["conv"])
    found["activated"] = layer.activate(found["conv"])
    found["y"] = layer(case["x"], case["w"])
    for name, output in found.items():
        if name in case:
            check(output, case[name])


@pytest.mark.parametrize("path", golden("asgan", "generator-*.npz"))
def test_generator(path):
    case, limits = Case(path), tolerance(path)
    network = filled(build("asgan", case.config), case)
    places = {"w": "W", "seed": "ff", "preconv": "preconv"}
    places |= {f"layer{i}": f"layers.{i}" for i in range(len(network.layers))}
    found = seams(network, places)
    with torch.no_grad():
        check(network(case["z"]), case["c"], limits)
        for name, output in found.items():
            if name in case:
                check(output[: len(case[name])], case[name], limits)
        if "c_mixed" in case:
            check(network.synthesise(case["w"]), case["c_from_w"], limits)
            check(network.synthesise(case["w_per_layer"]), case["c_mixed"], limits)


@pytest.mark.parametrize("path", golden("asgan", "discriminator-*.npz"))
def test_discriminator(path):
    case = Case(path)
    network = filled(build("asgan.discriminator", case.config), case)
    found = seams(network, {f"block{i}": f"layers.{i}" for i in range(len(network.layers))})
    c = case["c"].requires_grad_()
    logits = network(c)
    check_scale(logits, case["logits"])
    for name, output in found.items():
        if name in case:
            check_scale(output[: len(case[name])], case[name])
    (gradient,) = torch.autograd.grad(logits.sum(), c, retain_graph=True)
    check_scale(gradient[: len(case["grad"])], case["grad"])
    penalty = case.config["r1_gamma"] / 2 * r1_penalty(logits, c)
    check_scale(penalty, case["r1"][0])


@pytest.mark.parametrize("path", golden("asgan", "vocoder-*.npz"))
def test_vocoder(path):
    case, limits = Case(path), tolerance(path)
    network = filled(build("asgan.vocoder", case.config), case)
    last = len(network.ups) - 1
    places = {"conv_pre": "conv_pre", "up0": "ups.0", "up_last": f"ups.{last}"}
    found = seams(network, places | {"resblock0": "resblocks.0"})
    with torch.no_grad():
        whole = network(case["x"])
        check(whole, case["y"], limits)
        for name, output in found.items():
            expected = case[name]
            every = output.shape[1] // expected.shape[1]
            check(output[:, ::every, : expected.shape[2]], expected, limits)
        fold_weight_norm(network)
        check(network(case["x"]), whole, limits)


@pytest.mark.parametrize("path", golden("asgan", "classifier-*.npz"))
def test_classifier(path):
    case, limits = Case(path), tolerance(path)
    network = filled(build("asgan.classifier", case.config), case)
    found = seams(network, {"stage1": "stage_1", "stage3": "stage_3"})
    with torch.no_grad():
        check(network(case["x"]), case["logits"], limits)
        check(network.features(case["x"]), case["features"], limits)
    for name, output in found.items():
        expected = case[name]
        every = output.shape[1] // expected.shape[1]
        check(output[: len(expected), ::every], expected, limits)


@pytest.mark.parametrize("path", golden("asgan", "hubert-*.npz"))
def test_hubert(path):
    pytest.importorskip("torchaudio", exc_type=ImportError)
    from audiofix.backends.asgan.hubert import Hubert, HubertConfig

    case = Case(path)
    chosen = {k: v for k, v in case.config.items() if k in HubertConfig.__dataclass_fields__}
    config = HubertConfig(**chosen)
    hubert = Hubert(config)
    hubert.load_fairseq(fairseq_tensors(config, case.config["salt"]), path.stem)
    network = hubert.eval().network
    found = seams(network, {"layer1": "encoder.transformer.layers.0"})
    limits = tolerance(path)
    with torch.no_grad():
        check(hubert(case["x"]), case["feats"], limits)
        check(hubert(case["x"], batched_padding=True), case["feats_batched"], limits)
        padded = torch.nn.functional.pad(case["x"], (0, 320 - case["x"].shape[1] % 320))
        check(network.feature_extractor(padded, None)[0], case["conv_features"], limits)
    check(found["layer1"][0], case["layer1"], limits)


def fairseq_tensors(config, salt):
    """Return filled tensors of fairseq's names; the shapes of the base model are scaled down."""
    [path] = [one.values[0] for one in golden("asgan", "keys-hubert_base_fairseq.json")]
    sizes = {512: config.conv_dim, 768: config.embed, 3072: config.ffn}
    tensors = {}
    for name, about in json.loads(path.read_text())["tensors"].items():
        shape = [sizes.get(size, size) for size in about["shape"]]
        if name == "encoder.pos_conv.0.weight_v":
            shape[1] = config.embed // config.pos_groups
        if name.startswith("encoder.layers.") and int(name.split(".")[2]) >= config.layers:
            continue
        tensors[name] = torch.from_numpy(filler.values(name, shape, salt))
    return tensors


@pytest.mark.parametrize("path", golden("asgan", "losses.npz"))
def test_losses(path):
    case = Case(path)
    check(logistic_generator(case["fake"]), case["g_loss"][0])
    check(logistic_discriminator(case["real"], case["fake"]), case["d_loss"][0])
    augmentation = AdaptiveAugmentation(probability=case.config["p"])
    found = []
    for scores in case["ada_outs"]:
        augmentation.observe(scores.sign().mean().item())
        found.append((augmentation.probability, augmentation.overfitting))
    expected = torch.stack([case["ada_p"], case["ada_rt"]], dim=1)
    check(torch.tensor(found), expected)


@pytest.mark.parametrize("path", golden("asgan", "collate.npz"))
def test_batches_of_one_length(path):
    case = Case(path)
    generator = np.random.default_rng(0)
    for name, kind in (("hubert", "hubert"), ("melspec", "mel")):
        for index, expected in enumerate(case.arrays[name]):
            item = case.arrays[f"x{index}"]
            found = fit_frames(item, case.config["seq_len"], SILENCE[kind], generator)
            np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("path", golden("asgan", "mel.npz"))
def test_mel(path):
    case = Case(path)
    config = case.config
    size = config["sample_rate"], config["n_fft"], config["n_mels"]
    check(mel_filters(*size).t(), case["filterbank"])
    mel = MelConfig(size[0], size[1], config["hop_length"], size[2])
    check(mel.analyse(case["x"]).transpose(1, 2), case["logmel"], REAL)


@pytest.mark.parametrize("path", golden("asgan", "metrics.npz"))
def test_metrics(path):
    case = Case(path)
    generated, training = (
        case[name].double().softmax(1).numpy() for name in ("logits_gen", "logits_train")
    )
    features = [case[name].numpy() for name in ("feat_train", "feat_gen")]
    found = {
        "inception_score": generation.inception_score(generated),
        "modified_inception_score": generation.modified_inception_score(generated, pairs=2000),
        "am_score": generation.am_score(training, generated),
        "fid": generation.frechet_distance(*features),
    }
    for name, value in found.items():
        assert value == pytest.approx(case[f"f64/{name}"].item(), rel=1e-5), name


@pytest.mark.parametrize("path", golden("asgan", "end-to-end-*.npz"))
def test_end_to_end(path):
    case, limits = Case(path), tolerance(path)
    generator = filled(build("asgan", case.config["generator"]), case)
    vocoder = build("asgan.vocoder", case.config["vocoder"])
    filled(vocoder, case, scales="rescale_vocoder")
    fold_weight_norm(vocoder)
    samples = case.config["seq_len"]
    cpu = Placement(torch.device("cpu"))
    model = ASGAN("golden", 16000, generator, vocoder, None, cpu, samples=samples)
    z = case["z"].numpy()
    w = model.map(z)
    check(torch.from_numpy(w), case["w"], limits)
    check(generator.synthesise(case["w"]), case["c"], limits)
    check(torch.from_numpy(model.synthesise(w)), case["audio"], limits)
    request = GenerateRequest(latents=Latents("z", z))
    sound = np.concatenate(list(model.samples(request)))
    check(torch.from_numpy(sound), case["audio"], limits)


# The published figure, 6.4989, is of a linear machine that no text names; `SVC` gives 6.5015.
@pytest.mark.parametrize("path", golden("asgan", "metrics.npz"))
def test_linear_separability(path):
    case = Case(path)
    probabilities = case["logits_gen"].double().softmax(1).numpy()
    found = generation.linear_separability(case["latents"].numpy(), probabilities)
    assert found == pytest.approx(case["f64/linear_separability"].item(), rel=1e-3)
