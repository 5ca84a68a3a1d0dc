"""Settings of ASGAN's training."""

import pytest
from audiofix.trainers.recipes.asgan.settings import LossSettings, Settings
from audiofix.trainers.recipes.asgan.word_features import WordSettings

from audiofix.backends.asgan.config import DiscriminatorConfig, GeneratorConfig
from audiofix.backends.asgan.features import MelConfig
from audiofix.errors import SettingsError

MEL = {"data": WordSettings(features="mel")}
HUBERT = {"data": WordSettings(features="hubert")}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (MEL | {"mel": MelConfig(bands=20)}, "mel.bands: 20: must be the generator's, 768"),
        (HUBERT | {"discriminator": DiscriminatorConfig(seq_len=24)}, "discriminator.seq_len: 24"),
        (
            HUBERT
            | {
                "loss": LossSettings(adversarial=0.0, reconstruction=1.0),
                "recognition": DiscriminatorConfig(c_dim=3),
            },
            "recognition.c_dim: 3: must be the generator's, 768",
        ),
        (
            {
                "loss": LossSettings(reconstruction=1.0),
                "data": WordSettings(words=(), features="hubert"),
            },
            "needs data.words",
        ),
        (HUBERT | {"loss": LossSettings(adversarial=0.0)}, "needs loss.reconstruction"),
        (HUBERT | {"latents": 2}, "latents: 2"),
        (
            HUBERT
            | {
                "loss": LossSettings(reconstruction=1.0),
                "generator": GeneratorConfig(w_dim=16),
            },
            "recognised",
        ),
    ],
)
def test_settings_that_do_not_go_together_are_refused(change, message):
    with pytest.raises(SettingsError, match=message):
        Settings(**change)


def test_a_run_without_a_discriminator_needs_no_settings_for_it():
    loss = LossSettings(adversarial=0.0, reconstruction=1.0)
    Settings(**HUBERT, loss=loss, discriminator=DiscriminatorConfig(c_dim=1))
