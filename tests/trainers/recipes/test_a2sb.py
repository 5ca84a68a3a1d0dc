from dataclasses import replace

import numpy as np
import pytest
import soundfile
import torch
from audiofix.trainers.batches import collated
from audiofix.trainers.loop_settings import LoopSettings
from audiofix.trainers.recipe import TOTAL, Turn
from audiofix.trainers.recipes import plan
from audiofix.trainers.recipes.a2sb import A2SBRecipe, DamageSettings, DataSettings, Settings
from stages import noise

from audiofix.backends.a2sb.config import BridgeConfig, UNetConfig
from audiofix.backends.a2sb.network import UNet
from audiofix.backends.weights import read_checkpoint
from audiofix.errors import InputError, SettingsError

CPU = torch.device("cpu")
NET = UNetConfig(
    n_updown_levels=2, hidden_channels=(32, 32, 64), emb_channels=8, band_embedding_dim=4,
    n_attn_heads=1, attention_levels=(1,), num_res_blocks=1, dropout=0.0,
)  # fmt: skip
SETTINGS = Settings(
    model=replace(NET, hidden_channels=(32, 64, 64)),
    bridge=BridgeConfig(n_fft=64, hop=16, window_frames=16, window_hop=8, fast_steps=2, level=0.1),
    data=DataSettings(validation_files=1),
    loop=LoopSettings(batch=2),
)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    """Noise at the model's rate, and at half of it, which knows nothing of the upper band."""
    folder = tmp_path_factory.mktemp("corpus")
    rows = ["split,file_path,duration"]
    for name, rate in (("full", 44100), ("half", 22050)):
        soundfile.write(folder / f"{name}.wav", noise(1, rate).T, rate)
        rows += [f"{split},{name}.wav,1.0" for split in ("train", "validation")]
    (folder / "m.csv").write_text("\n".join(rows) + "\n")
    return folder / "m.csv"


def recipe_of(settings, corpus):
    torch.manual_seed(0)
    return A2SBRecipe(settings, corpus, CPU)


def test_an_item_is_a_crop_with_a_band_or_a_gap_to_make(corpus):
    recipe = recipe_of(SETTINGS, corpus)
    kinds = set()
    for seed in range(30):
        item = recipe.item(np.random.default_rng(seed))
        mask = item["mask"]
        assert mask.shape == (32, 16) and 0 < mask.sum() < mask.size
        assert np.sqrt(np.mean(item["clean"] ** 2)) == pytest.approx(0.1, rel=1e-3)
        rows, frames = mask.max(axis=1), mask.max(axis=0)
        kinds.add("band" if frames.all() else "gap")
        full, part = (frames, rows) if frames.all() else (rows, frames)
        assert full.all() and not part.all()
        known = int(item["known"].sum())
        assert known in (16, 32)  # half of the rows, where the recording had half the rate
        assert (mask * item["known"]).sum() > 0
        again = recipe.item(np.random.default_rng(seed))
        assert all(np.array_equal(item[name], again[name]) for name in item)
    assert kinds == {"band", "gap"}


def test_only_what_is_masked_and_known_counts(corpus):
    recipe = recipe_of(SETTINGS, corpus)
    batch = collated([recipe.item(np.random.default_rng(seed)) for seed in (0, 1)], CPU)

    def loss(**changes):
        torch.manual_seed(5)
        found = recipe.losses(Turn("bridge", 0), {**batch, **changes})
        return found.losses[TOTAL].item()

    assert loss() > 0
    # The network says nothing yet; its error in unknown rows must not count.
    unknown = batch["known"].clone()
    unknown[:] = 0
    unknown[:, :1] = 1
    assert loss(known=unknown) != loss()
    half = recipe_of(replace(SETTINGS, bridge=replace(SETTINGS.bridge, deterministic=True)), corpus)
    torch.manual_seed(5)
    assert half.losses(Turn("bridge", 0), batch).losses[TOTAL].item() != loss()


def test_validation_and_export(corpus, tmp_path):
    recipe = recipe_of(SETTINGS, corpus)
    with torch.inference_mode():
        figures = recipe.validate(recipe.networks)
        assert figures == recipe.validate(recipe.networks)
        (shown,) = recipe.examples(recipe.networks, 1)
    assert {"loss", "lsd"} < set(figures) and all(np.isfinite(list(figures.values())))
    assert set(shown.sounds) == {"input", "estimate", "target"}
    recipe.export(recipe.networks, tmp_path / "x.safetensors")
    read = read_checkpoint(tmp_path / "x.safetensors")
    assert UNetConfig.from_mapping(read.config["net"]) == SETTINGS.model
    assert BridgeConfig.from_mapping(read.config) == SETTINGS.bridge


def test_the_presets_are_as_published_and_small(corpus):
    published = plan("a2sb", None, ()).settings
    assert published.model == UNetConfig()
    assert published.loop.optimiser("bridge").name == "radam"
    assert (published.loop.max_grad_norm, published.loop.ema_decay) == (0.5, 0.0)
    small = plan("a2sb", "a2sb-small", ()).settings
    with torch.device("meta"):
        network = UNet(small.model)
    assert 2 * sum(p.numel() for p in network.parameters()) < 12e6


def test_settings_that_cannot_be_are_refused():
    with pytest.raises(SettingsError, match="multiples of 4"):
        replace(SETTINGS, bridge=replace(SETTINGS.bridge, window_frames=18))
    with pytest.raises(SettingsError, match="gaps"):
        replace(SETTINGS, damage=DamageSettings(gaps=(0.5, 0.1)))


def test_a_silent_held_out_recording_is_refused(tmp_path):
    soundfile.write(tmp_path / "a.wav", np.zeros(44100), 44100)
    (tmp_path / "m.csv").write_text(
        "split,file_path,duration\ntrain,a.wav,1.0\nvalidation,a.wav,1.0\n"
    )
    recipe = recipe_of(SETTINGS, tmp_path / "m.csv")
    with pytest.raises(InputError, match="silent"):
        recipe.validate(recipe.networks)


def test_checkpointed_activations_give_the_same_gradients_and_keep_less(corpus):
    """With dropout, which must be drawn alike the second time."""
    settings = replace(SETTINGS, model=replace(SETTINGS.model, dropout=0.2))
    gradients, kept = [], []
    for checkpointed in (False, True):
        recipe = recipe_of(replace(settings, checkpoint_activations=checkpointed), corpus)
        network = recipe.networks["bridge"].train()
        torch.nn.init.normal_(network.output_projection[-1].weight)  # it begins with zeros
        batch = collated([recipe.item(np.random.default_rng(seed)) for seed in (0, 1)], CPU)
        saved = {}

        def note(tensor, saved=saved):
            saved[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
            return tensor

        torch.manual_seed(5)
        with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
            loss = recipe.losses(Turn("bridge", 0), batch).losses[TOTAL]
            kept.append(sum(saved.values()))
        loss.backward()
        found = [p.grad.flatten() for p in network.parameters() if p.grad is not None]
        gradients.append(torch.cat(found))
    assert torch.equal(*gradients) and gradients[0].abs().max() > 0
    assert kept[1] < 0.6 * kept[0]
