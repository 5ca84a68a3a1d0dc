import pytest
from audiofix.trainers.loop_settings import LoopSettings
from audiofix.trainers.optimisers import OptimiserSettings

from audiofix.errors import SettingsError


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"log_every": 0}, "loop.log_every: 0: must be at least 1"),
        ({"keep_best": 0}, "loop.keep_best"),
    ],
)
def test_refuses_what_no_run_can_be(given, message):
    with pytest.raises(SettingsError, match=message):
        LoopSettings(**given)


def test_a_batch_is_shared_out_evenly_or_not_at_all():
    settings = LoopSettings(batch=6, accumulate=3)
    settings.check_shares(2)
    with pytest.raises(SettingsError, match="loop.batch: 6: must be a multiple of 12"):
        settings.check_shares(4)


def test_an_optimiser_is_for_a_network_that_there_is():
    settings = LoopSettings(optimisers={"generator": OptimiserSettings(rate=0.5)})
    settings.check_networks(["generator", "discriminator"])
    assert settings.optimiser("generator").rate == 0.5
    assert settings.optimiser("discriminator") == OptimiserSettings()
    with pytest.raises(SettingsError, match="optimisers.generator: no such network: use vocoder"):
        settings.check_networks(["vocoder"])
