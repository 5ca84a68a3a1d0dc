"""Every golden case of A2SB, seam by seam. The files say what is tested, not this module."""

import json

import pytest
import torch
from a2sb_cases import (
    EXACT,
    NETWORK,
    SAMPLER,
    Draws,
    check_image,
    check_phases,
    close,
    damage,
    fill_all,
    filled_network,
    noise,
    velocity_of,
)
from audiofix.trainers.recipes.a2sb_loss import bridge_loss
from goldens import Case, golden
from published.a2sb import gap_frames, sample_gaps, zero_run_middles
from published.rolloff import mean_rolloff_hz, rolloff_frames
from published.segments import segments
from published.sispec import log_sispec, sispec

from audiofix.backends import build
from audiofix.backends.a2sb.blocks import Attention, AxialRotary, band_embedding, time_embedding
from audiofix.backends.a2sb.bridge import Bridge
from audiofix.backends.a2sb.config import BridgeConfig
from audiofix.backends.a2sb.image import (
    ImageTransform,
    complex_spectra,
    compressed,
    magnitude_and_phase,
    projected,
    uncompressed,
)
from audiofix.backends.a2sb.masks import (
    drawn_gap,
    filled,
    first_masked_row,
    row_bounds,
    row_mask,
)
from audiofix.backends.a2sb.sampling import LAST_TIME, PublishedWalk
from audiofix.backends.a2sb.windows import pad_frames, sample_image, window_average
from audiofix.metrics.spectral import DEFINITIONS, SpectralMeter


@pytest.mark.parametrize("path", golden("a2sb", "keys-*.json"))
def test_state_dict_is_the_authors(path):
    expected = json.loads(path.read_text())
    with torch.device("meta"):
        network = build("a2sb", expected["config"])
    names = {
        n.removeprefix("vf_model."): about["shape"]
        for n, about in expected["tensors"].items()
        if n != "t_to_emb.multipliers"
    }
    state = network.state_dict()
    assert list(state) == list(names)
    assert {n: list(t.shape) for n, t in state.items()} == names
    assert sum(p.numel() for p in network.parameters()) == expected["parameters"]


@pytest.mark.parametrize("path", golden("a2sb", "representation.npz"))
def test_representation(path):
    case = Case(path)
    transform = ImageTransform(case.config["n_fft"], case.config["hop"])
    rows = case["complex_slice"].shape[1]
    spectra = transform.spectra(case["wav"])
    parts = torch.stack([spectra.real, spectra.imag])
    close(parts[:, :rows], case["complex_slice"], SAMPLER)
    spread = magnitude_and_phase(spectra)
    check_phases(spread[:, :rows], case["magphase_slice"])
    check_phases(spread[:, 1 : rows + 1], case["nodc_slice"])
    image = transform.image(case["wav"])
    check_image(image, case["spec"])
    close(transform.sound(case["spec"]), case["round_trip"], EXACT)
    shape = case["spec"].shape
    perturbed = case["spec"] + 0.2 * noise("a2sb/representation/perturb", shape)
    expanded = uncompressed(perturbed)
    close(expanded[:, :rows], case["perturbed_power_slice"], NETWORK)
    # The golden has the row of 0 Hz again.
    expected = case["perturbed_projected_slice"]
    close(projected(expanded)[:, : rows - 1], expected[:, 1:], NETWORK)
    complex_image = complex_spectra(projected(expanded))
    parts = torch.stack([complex_image.real, complex_image.imag])
    close(parts[:, :rows], case["perturbed_complex_slice"], NETWORK)
    close(transform.sound(perturbed), case["perturbed_wav"], NETWORK)
    close(transform.sound(perturbed, project=False), case["perturbed_wav_nosvd"], NETWORK)


def test_compression_keeps_silence_and_sign():
    image = torch.tensor([0.0, 1e-12, 16.0, -16.0]).reshape(1, 2, 2).repeat(3, 1, 1)
    found = compressed(image)[0].flatten()
    assert found[0] == 0 and found[1] < 1e-5
    assert found[2].item() == pytest.approx(2) and found[3].item() == pytest.approx(-2)


@pytest.mark.parametrize("path", golden("a2sb", "embeddings.npz"))
def test_embeddings(path):
    case = Case(path)
    close(time_embedding(case["t"], case.config["n_timestep_channels"]), case["t_emb"], EXACT)
    rotary = AxialRotary()
    close(rotary.freqs.detach(), case["rotary_freqs"], EXACT)
    angles = rotary.angles(*case.config["axial"])
    close(angles, case["axial_freqs"], {"rtol": 1e-6, "atol": 1e-5})
    for name in (n for n in case.arrays if n.startswith("band_")):
        channels, rows = case[name].shape
        close(band_embedding(rows, channels, torch.device("cpu")), case[name], EXACT)


@pytest.mark.parametrize("path", golden("a2sb", "attention.npz"))
def test_attention(path):
    case = Case(path)
    config = case.config
    layer = fill_all(
        Attention(config["embed_dim"], config["heads"], use_input_norm=config["use_input_norm"])
    )
    normed = layer.gnorm(case["x"]) if layer.gnorm else case["x"]
    q, k = layer.queries_and_keys(normed)
    close(q, case["q_rotated"], NETWORK)
    close(k, case["k_rotated"], NETWORK)
    close(layer(case["x"]), case["y"], NETWORK)


def marked(case):
    """Mark the released network as slow: half a billion weights are filled."""
    return pytest.param(
        *case.values, id=case.id, marks=[pytest.mark.slow] if "release" in case.id else []
    )


@pytest.mark.parametrize("path", [*map(marked, golden("a2sb", "network-*.npz"))])
def test_network(path):
    case = Case(path)
    network = filled_network(case.config["net"])
    seams = {n: n.removeprefix("seam_") for n in case.arrays if n.startswith("seam_")}
    seams = {n: place for n, place in seams.items() if not n.endswith("_std")}
    modules = {name.replace(".", "_"): module for name, module in network.named_modules()}
    found = {}
    for seam, place in seams.items():
        keep = lambda _, __, out, seam=seam: found.__setitem__(seam, out)  # noqa: E731
        modules[place].register_forward_hook(keep)
    t_emb = time_embedding(torch.tensor(case.config["t"]), network.config.emb_channels)
    close(t_emb, case["t_emb"], EXACT)
    y = network(case["x"], case["t_emb"])
    for seam in seams:
        expected = case[seam]
        sliced = found[seam][tuple(slice(size) for size in expected.shape)]
        close(sliced, expected, NETWORK)
        assert found[seam].std().item() == pytest.approx(case[f"{seam}_std"].item(), rel=1e-5)
    close(y, case["y"], NETWORK)


@pytest.mark.parametrize("path", golden("a2sb", "bridge.npz"))
def test_bridge(path):
    case = Case(path)
    bridge, t = Bridge(case.config["beta_max"]), case["t"]
    close(bridge.forward_std(t), case["std_fwd"], EXACT)
    close(bridge.forward_std(1 - t), case["std_rev"], EXACT)
    of_clean, of_damaged, variance = bridge.coefficients(t)
    close(of_clean, case["coef_x0"], EXACT)
    close(of_damaged, case["coef_x1"], EXACT)
    close(variance, case["variance"], EXACT)
    close(variance.sqrt(), case["std_t"], EXACT)
    x0, x1 = case["x0"], case["x1"]
    draw = noise("a2sb/bridge/q/0", x0.shape)
    close(bridge.sample(t, x0, x1, draw), case["q_sample"], NETWORK)
    close(bridge.sample(t, x0, x1, None), case["q_sample_ode"], NETWORK)
    close(bridge.target(t, case["q_sample"], x0), case["target"], {"rtol": 1e-4, "atol": 1e-5})
    steps = torch.linspace(1, LAST_TIME, len(case["steps"]))
    close(steps, case["steps"], EXACT)
    for place, index in enumerate(case.config["posterior_steps"]):
        now, earlier = steps[index, None], steps[index + 1, None]
        image = case["q_sample"][:1]
        clean = bridge.clean_estimate(now, image, case["net_out"][:1])
        draw = noise(f"a2sb/bridge/p{index}/0", image.shape)
        made = bridge.posterior(earlier, now, image, clean, draw)
        close(made[0], case["posterior"][place], NETWORK)
        made = bridge.posterior(earlier, now, image, clean, None)
        close(made[0], case["posterior_ode"][place], NETWORK)


@pytest.mark.parametrize("path", golden("a2sb", "overlap.npz"))
def test_overlap(path):
    case = Case(path)
    config = case.config
    width, hop = config["win"], config["hop"]
    padded = pad_frames(case["x"], width, hop)
    assert torch.equal(padded, case["padded"])
    zeros = torch.nn.functional.pad(case["x"], (0, padded.shape[-1] - case["x"].shape[-1]))
    assert torch.equal(zeros, case["padded_zero"])
    ramp = torch.linspace(-1, 1, width)
    averaged = window_average(
        lambda x: torch.tanh(x) * (1 + ramp) + 0.25 * ramp,
        padded, width=width, hop=hop, batch=config["batch"],
    )  # fmt: skip
    close(averaged, case["averaged"], EXACT)
    close(averaged[..., : config["width"]], case["unpadded"], EXACT)


@pytest.mark.parametrize("path", golden("a2sb", "sampler-*.npz"))
def test_sampler(path):
    case = Case(path)
    about = case.config
    config = BridgeConfig(
        44100, about["n_fft"], about["hop"], about["win"], about["window_hop"], about["beta_max"]
    )
    transform = ImageTransform(config.n_fft, config.hop)
    check_image(transform.image(case["wav_in"]), case["clean"])
    # The golden's own clean image from here on: the phase of empty bins hangs on rounding.
    image, mask = damage(case, case["clean"], config, "a2sb/sampler/corrupt")
    close(image, case["corrupted"], NETWORK)
    assert torch.equal(mask[0].amax(dim=1) * mask[0].amin(dim=1), case["mask_rows"]) or torch.equal(
        mask[0].amax(dim=0) * mask[0].amin(dim=0), case["mask_columns"]
    )
    velocity = velocity_of(case)
    walk = PublishedWalk(Bridge(config.beta_max), about["n_steps"], about["ot_ode"])
    draws, size = Draws("a2sb/sampler/step"), about["batch"]
    if about["fast_inpaint"]:
        estimates = sample_gaps(walk, image[None], mask[None], velocity, config, draws)
    else:
        padded = pad_frames(image[None], config.window_frames, config.window_hop)
        first = window_average(
            lambda x: velocity(x, 1.0), padded,
            width=config.window_frames, hop=config.window_hop, batch=size,
        )  # fmt: skip
        close(first, case["first_net_output"], SAMPLER)
        made = sample_image(walk, image[None], mask[None], velocity, config, draws, batch=size)
        estimates = torch.cat(made)
    close(estimates, case["pred_x0"], SAMPLER)
    assert draws.count == about["noise_draws"]
    close(transform.sound(estimates[-1]), case["wav_out"], SAMPLER)


@pytest.mark.parametrize("path", golden("a2sb", "corruption.npz"))
def test_corruption(path):
    case = Case(path)
    about = case.config
    config = BridgeConfig(about["sampling_rate"], 2 * about["rows"], about["hop"])
    rows = [first_masked_row(f, config) for f in case["cutoff_hz"].tolist()]
    assert rows == case["first_masked_row"].tolist()
    ranges = [(2000, 16000), (4000, 4000), (2000, 22050)]
    assert [list(row_bounds(*r, config)) for r in ranges] == case["randint_bounds"].tolist()
    gaps = [list(gap_frames(*gap, config)) for gap in case["gap_seconds_f64"].tolist()]
    assert gaps == case["gap_frames"].tolist()
    draws = case["uniform_draws_f64"].reshape(-1, 2).tolist()
    drawn = [list(drawn_gap(*pair, 256, 0.03378, 0.5404)) for pair in draws]
    assert drawn == case["inpaint_random"].tolist()
    assert list(drawn_gap(0, None, 256, 0.1013, 0.1013)) == case["inpaint_fixed"].tolist()
    assert zero_run_middles(case["known_flags"].numpy()) == case["zero_run_middles"].tolist()
    x = case["x"]
    small = BridgeConfig(about["sampling_rate"], 2 * x.shape[1], about["hop"])
    mask = row_mask(first_masked_row(9000, small), x)
    close(filled(x, mask, noise("a2sb/corruption/fill/0", x.shape)), case["filled"], EXACT)


@pytest.mark.parametrize("path", golden("a2sb", "rolloff.npz"))
def test_rolloff(path):
    case = Case(path)
    share = case.config["roll_percent"]
    for name, rate in case.config["signals"].items():
        x = case.arrays[name]
        frames = torch.from_numpy(rolloff_frames(x, rate, share=share)).float()
        close(frames, case[f"{name}_frames"], EXACT)
        assert mean_rolloff_hz(x, rate, share=share) == int(case[f"{name}_hz"])


@pytest.mark.parametrize("path", golden("a2sb", "segments.npz"))
def test_segments(path):
    case = Case(path)
    found = segments(
        case["durations_f64"].tolist(), case.config["segment_length"], case.config["rate"]
    )
    files, starts, ends = (list(part) for part in zip(*found, strict=True))
    assert files == case["file_index"].tolist()
    assert starts == case["start_f64"].tolist()
    assert ends == case["end_f64"].tolist()


@pytest.mark.parametrize("path", golden("a2sb", "metrics.npz"))
def test_metrics(path):
    case = Case(path)
    rate, estimate, target = case.config["rate"], case.arrays["estimate"], case.arrays["target"]
    meter = SpectralMeter(DEFINITIONS["ssr-eval"], rate, 1)
    meter.push(estimate[None], target[None])
    assert meter.values()["lsd"] == pytest.approx(case["lsd"].item(), rel=1e-4)
    assert sispec(estimate, target, rate) == pytest.approx(case["sispec"].item(), rel=1e-4)
    assert log_sispec(estimate, target, rate) == pytest.approx(case["log_sispec"].item(), rel=1e-4)


@pytest.mark.parametrize("path", golden("a2sb", "train-step.npz"))
def test_training_step(path):
    case = Case(path)
    network = filled_network(case.config["net"])
    for parameter in network.parameters():
        parameter.requires_grad_(True)
    loss = bridge_loss(
        network,
        Bridge(),
        case["x0"],
        case["x1"],
        case["mask"][:, None],
        case["t"],
        noise("a2sb/train/q/0", case["x0"].shape),
    )
    assert loss.item() == pytest.approx(case["loss"].item(), rel=1e-5)
    loss.backward()
    gradients = dict(network.named_parameters())
    norms = [gradients[name].grad.norm() for name in case.config["grad_names"]]
    close(torch.stack(norms), case["grad_norms"], {"rtol": 1e-3, "atol": 1e-5})
    for name in (n for n in case.arrays if n.startswith("grad_") and n != "grad_norms"):
        found = next(
            p.grad for n, p in gradients.items() if n.replace(".", "_") == name[len("grad_") :]
        )
        scale = case[name].abs().max().item()
        close(found, case[name], {"rtol": 1e-3, "atol": 1e-4 * scale})


@pytest.mark.parametrize("path", golden("a2sb", "end-to-end.npz"))
def test_end_to_end(path):
    case = Case(path)
    about = case.config
    config = BridgeConfig(44100, about["n_fft"], about["hop"], about["win"], about["window_hop"])
    mono = case["stereo_in"].mean(dim=0)
    close(mono, case["mono"], EXACT)
    cutoff_hz = mean_rolloff_hz(mono.numpy(), config.rate)
    assert cutoff_hz == int(case["cutoff_hz"])
    transform = ImageTransform(config.n_fft, config.hop)
    image = transform.image(mono)[None]
    mask = row_mask(first_masked_row(cutoff_hz, config), image)
    damaged = filled(image, mask, noise("a2sb/e2e/corrupt/0", image.shape[1:])[None])
    expected = case["corrupted_slice"]
    every = image.shape[2] // expected.shape[1]
    check_image(damaged[0][:, ::every, : expected.shape[2]], expected)
    walk = PublishedWalk(Bridge(config.beta_max), about["predict_n_steps"])
    draws = Draws("a2sb/e2e/step")
    estimate = sample_image(
        walk, damaged, mask, velocity_of(case), config, draws, batch=about["batch"]
    )[-1]
    close(transform.sound(estimate[0]), case["wav_out"], SAMPLER)
