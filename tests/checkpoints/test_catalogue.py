import pytest

from audiofix.checkpoints.catalogue import entries, entry, read_catalogue
from audiofix.errors import SettingsError, UnknownModel


def test_every_entry_can_be_fetched_or_ships():
    for name, found in entries().items():
        assert found.name == name
        assert found.shipped or all(url.startswith("https://") for url in found.urls)
        assert found.shipped or found.urls
        assert found.licence and found.source.startswith("https://") and found.rate > 0
        assert found.system in ("vmasr", "apollo", "a2sb", "asgan", "audiodec")
        assert found.sha256 is None or len(found.sha256) == 64


def test_the_released_vmasr_models_are_there_with_their_settings():
    found = entry("vmasr-48k-16k-mpd-m2p")
    assert found.config == {
        "n_fft": 1024, "hop_length": 240, "interact": "m2p", "low_freq_replacement": True
    }  # fmt: skip
    assert found.rate == 48000 and found.verbs == ("upsample",)
    assert entry("vmasr-16k-mpd").config["hop_length"] == 80
    assert entry("vmasr-48k-16k-mpd-wopost").config["low_freq_replacement"] is False


def test_an_unknown_name_suggests_the_nearest():
    with pytest.raises(UnknownModel, match="did you mean vmasr-48k-mpd"):
        entry("vmasr-48k-mdp")


@pytest.mark.parametrize("line", ["licens = 'MIT'", ""])
def test_unknown_and_missing_keys_are_errors(line):
    table = f"[m]\nsystem = 'x'\nverbs = []\nrate = 1\nchannels = 1\n{line}\n"
    with pytest.raises(SettingsError, match="licens|licence"):
        read_catalogue(table)
