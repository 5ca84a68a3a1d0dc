from audiofix.checkpoints.choice import best_entry, default_entry


def catalogue_of(**models):
    """Return a catalogue of upsamplers, each of a rate and a rank."""
    return "".join(
        f"""
        [{name}]
        system = "vmasr"
        verbs = ["upsample"]
        rate = {rate}
        rank = {rank}
        channels = 1
        licence = "a licence"
        source = "https://example.org/some/place"
        [{name}.files.weights]
        urls = ["https://example.org/{name}.bin"]
        """
        for name, (rate, rank) in models.items()
    )


def test_default_entry_prefers_pulled_ones_and_the_nearest_rate_above(listed, cache):
    models = {"low": (16000, 0), "mid": (44100, 0), "high": (48000, 0), "far": (96000, 0)}
    listed(catalogue_of(**models))
    assert default_entry("upsample", 44100, ["vmasr"]) is None
    (cache / "models").mkdir(parents=True)
    for name in models:
        (cache / "models" / f"{name}.safetensors").touch()
    for wanted, expected in [(8000, "low"), (44100, "mid"), (45000, "high"), (192000, "far")]:
        assert default_entry("upsample", wanted, ["vmasr"]).name == expected
    assert default_entry("upsample", 48000, ["apollo"]) is None
    assert default_entry("inpaint", 48000, ["vmasr"]) is None


def test_best_is_the_highest_rank_whose_rate_suffices(listed):
    listed(catalogue_of(low=(16000, 9), mid=(44100, 1), high=(48000, 2), far=(96000, 2)))
    for wanted, expected in [(8000, "low"), (44100, "high"), (50000, "far"), (192000, "low")]:
        assert best_entry("upsample", wanted, ["vmasr"]).name == expected
    assert best_entry("inpaint", 48000, ["vmasr"]) is None
