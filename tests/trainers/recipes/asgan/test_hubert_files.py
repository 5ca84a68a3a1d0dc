"""Features of a tiny HuBERT as files, and training on them."""

import numpy as np
import pytest
import soundfile
import torch
from audiofix.trainers.data.words import words
from audiofix.trainers.recipes.asgan.hubert_files import main
from audiofix.trainers.recipes.asgan.word_features import WordFeatures, WordSettings

from audiofix.backends.asgan.features import MelConfig

pytest.importorskip("torchaudio", exc_type=ImportError)
from audiofix.backends.asgan.hubert import Hubert, HubertConfig, hubert_of  # noqa: E402


def fairseq_tensors(embed=64, conv=8, ffn=16, groups=4, kernel=8):
    """Return random tensors under fairseq's names."""
    shapes = {
        "post_extract_proj.weight": (embed, conv), "post_extract_proj.bias": (embed,),
        "layer_norm.weight": (conv,), "layer_norm.bias": (conv,),
        "encoder.layer_norm.weight": (embed,), "encoder.layer_norm.bias": (embed,),
        "encoder.pos_conv.0.bias": (embed,), "encoder.pos_conv.0.weight_g": (1, 1, kernel),
        "encoder.pos_conv.0.weight_v": (embed, embed // groups, kernel),
        "feature_extractor.conv_layers.0.2.weight": (conv,),
        "feature_extractor.conv_layers.0.2.bias": (conv,), "mask_emb": (embed,),
    }  # fmt: skip
    for number, size in enumerate((10, 3, 3, 3, 3, 2, 2)):
        channels = conv if number else 1
        shapes[f"feature_extractor.conv_layers.{number}.0.weight"] = (conv, channels, size)
    linears = {"fc1": (ffn, embed), "fc2": (embed, ffn)}
    linears |= {f"self_attn.{n}_proj": (embed, embed) for n in ("q", "k", "v", "out")}
    for layer in range(7):  # one more than is used
        own = f"encoder.layers.{layer}."
        for name, shape in linears.items():
            shapes |= {f"{own}{name}.weight": shape, f"{own}{name}.bias": shape[:1]}
        for name in ("self_attn_layer_norm", "final_layer_norm"):
            shapes |= {f"{own}{name}.weight": (embed,), f"{own}{name}.bias": (embed,)}
    draw = torch.Generator().manual_seed(0)
    return {name: 0.3 * torch.randn(shape, generator=draw) for name, shape in shapes.items()}


def test_words_become_files_and_a_manifest_to_train_on(tmp_path, capsys):
    checkpoint, source, out = (tmp_path / name for name in ("hubert.pt", "words", "features"))
    torch.save({"model": fairseq_tensors()}, checkpoint)
    source.mkdir()
    for number in range(12):
        tone = np.sin(np.arange(4000) * (0.2 + 0.1 * (number % 2)))
        soundfile.write(source / f"{number % 2}_voice_{number}.wav", tone, 8000)
    assert main([str(checkpoint), str(source), str(out)]) == 0
    training, held_out = (words(out / "features.csv", split) for split in ("train", "validation"))
    assert len(training) + len(held_out) == 12 and len(held_out) >= 1
    settings = WordSettings(features="hubert")
    features, label = WordFeatures(training, settings, MelConfig(), 20).draw(
        np.random.default_rng(0)
    )
    assert features.shape == (20, 64) and label in (0, 1)
    assert len(np.load(training[0].path)) == 25  # half a second at 50 Hz, and less than a frame
    before = training[0].path.stat().st_mtime_ns
    assert main([str(checkpoint), str(source), str(out)]) == 0
    assert training[0].path.stat().st_mtime_ns == before


def test_shapes_say_the_size():
    hubert = hubert_of(fairseq_tensors(), "tiny")
    assert isinstance(hubert, Hubert)
    assert hubert.config == HubertConfig(8, 64, 1, 16, pos_groups=4, pos_kernel=8)


def test_what_is_no_hubert_is_refused_in_one_line(tmp_path, capsys):
    torch.save({"model": {"weight": torch.ones(2)}}, tmp_path / "other.pt")
    assert main([str(tmp_path / "other.pt"), str(tmp_path), str(tmp_path / "out")]) == 4
    assert "holds no HuBERT" in capsys.readouterr().err
    assert main([str(tmp_path / "none.pt"), str(tmp_path), str(tmp_path / "out")]) == 4
