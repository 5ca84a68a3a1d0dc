from audiofix.cli.examples import examples_of
from audiofix.verbs.models import EXAMPLES


def test_a_command_below_a_verb_has_its_own():
    assert examples_of(["models"]) == list(EXAMPLES)
    assert examples_of(["models", "pull"]) == [
        ("Fetch a released model", "audiofix models pull vmasr-48k-mpd")
    ]
