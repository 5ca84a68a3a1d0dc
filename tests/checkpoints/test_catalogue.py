import pytest

from audiofix.checkpoints.catalogue import entries, entry, read_catalogue
from audiofix.errors import SettingsError, UnknownModel


def test_every_entry_can_be_fetched_or_ships():
    for name, found in entries().items():
        assert found.name == name
        assert bool(found.shipped) != bool(found.files)
        for part in found.files.values():
            assert part.urls and all(url.startswith("https://") for url in part.urls)
            assert part.sha256 is None or len(part.sha256) == 64
        assert found.licence and found.source.startswith("https://") and found.rate > 0
        assert found.system in ("vmasr", "envelope", "apollo", "a2sb", "asgan", "audiodec")


def test_the_released_vmasr_models_are_there_with_their_settings():
    found = entry("vmasr-48k-16k-mpd-m2p")
    assert found.config == {
        "n_fft": 1024, "hop_length": 240, "interact": "m2p", "low_freq_replacement": True
    }  # fmt: skip
    assert found.rate == 48000 and found.verbs == ("upsample",)
    assert entry("vmasr-16k-mpd").config["hop_length"] == 80
    assert entry("vmasr-48k-16k-mpd-wopost").config["low_freq_replacement"] is False


def test_models_of_several_parts_are_one_entry():
    assert list(entry("a2sb-twosplit").files) == ["early", "late"]
    assert entry("a2sb-twosplit").bytes == 2 * 2262312618
    assert list(entry("asgan-hubert-sc09").files) == ["generator", "vocoder"]
    assert "vocoder" in entry("audiodec-vctk-denoise").files
    assert entry("vmasr-48k-16k-mpd-vssm24").config["dims"] == 24


def test_licences_are_those_that_the_sources_state():
    # The repository of the generator has no licence; that of its vocoder, bshall/hifigan, is MIT.
    assert entry("asgan-hubert-sc09").licence == "none stated; vocoder code MIT"
    assert entry("a2sb-twosplit").licence == "NVIDIA OneWay NonCommercial License"
    assert entry("audiodec-vctk").licence == "CC-BY-NC-4.0"


def test_an_unknown_name_suggests_the_nearest():
    with pytest.raises(UnknownModel, match="did you mean vmasr-48k-mpd"):
        entry("vmasr-48k-mdp")


@pytest.mark.parametrize(
    "text", ["x", "[m", "x = 1\n[m]\nsystem = 3", "[m]\nfiles = 3", "[m.files]\na = 3",
             "[m.files.a]\nurls = 'x'"]
)  # fmt: skip
def test_what_is_no_catalogue_is_a_settings_error(text):
    with pytest.raises(SettingsError, match="catalogue"):
        read_catalogue(text)


@pytest.mark.parametrize("line", ["licens = 'MIT'", ""])
def test_unknown_and_missing_keys_are_errors(line):
    table = f"[m]\nsystem = 'x'\nverbs = []\nrate = 1\nchannels = 1\n{line}\n"
    with pytest.raises(SettingsError, match="licens|licence"):
        read_catalogue(table)
