from audiofix.backends.table import SYSTEMS
from audiofix.cli.examples import examples_of
from audiofix.verbs.models import EXAMPLES


def test_a_command_below_a_verb_has_its_own():
    assert examples_of(["models"])[: len(EXAMPLES)] == list(EXAMPLES)
    assert examples_of(["models", "pull"]) == [
        ("Fetch a released model", "audiofix models pull vmasr-48k-mpd")
    ]


def test_a_system_brings_its_own_to_a_verb():
    own = [example for system in SYSTEMS for example in system.examples.get("eval", ())]
    assert len(own) == 4 and examples_of(["eval"])[-4:] == own
