"""The generated pages and completions are those of the command tree."""

import re
import shutil
import subprocess
from pathlib import Path

import click
import pytest

from audiofix.cli.documents import ENVIRONMENT, differences, documents
from audiofix.cli.main import group
from audiofix.exit_status import ExitStatus
from audiofix.verbs import VERBS

ROOT = Path(__file__).parents[2]
PAGES = {name: text for name, text in documents().items() if name.startswith("man/")}


def test_the_committed_files_are_current() -> None:
    assert differences(ROOT) == ""


def test_a_change_shows_as_a_difference(tmp_path: Path) -> None:
    for name, text in documents().items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    assert differences(tmp_path) == ""
    (tmp_path / "man" / "audiofix.1").write_text("another page\n")
    assert "-another page" in differences(tmp_path)
    (tmp_path / "man" / "audiofix-gone.1").write_text("no such verb\n")
    assert "-no such verb" in differences(tmp_path)


def test_every_verb_and_command_has_a_page() -> None:
    assert {f"man/audiofix-{verb}.1" for verb in VERBS} <= PAGES.keys()
    assert {"man/audiofix.1", "man/audiofix-models-pull.1"} <= PAGES.keys()


@pytest.mark.parametrize("name", PAGES)
def test_pages_have_their_sections(name: str) -> None:
    sections = re.findall(r"^\.SH (.*)$", PAGES[name], re.MULTILINE)
    assert sections[:3] == ["NAME", "SYNOPSIS", "DESCRIPTION"]
    assert {"OPTIONS", "EXIT STATUS", "ENVIRONMENT"} <= set(sections)
    for status in ExitStatus:
        assert status.meaning.split(";")[0].split("(")[0].strip() in PAGES[name]


@pytest.mark.parametrize("name", PAGES)
def test_pages_and_help_show_examples(name: str) -> None:
    assert ".SH EXAMPLES" in PAGES[name]
    context, command = click.Context(group), group
    for word in re.findall(r"audiofix-(?:(models)-)?([a-z-]+)\.1", name) or [()]:
        for part in filter(None, word):
            command = command.get_command(context, part)
    if command is not group:
        words = " ".join(["audiofix", *filter(None, word)])
        assert f"    {words} " in command.get_help(click.Context(command)) + " "


def test_every_variable_of_the_package_is_documented() -> None:
    used = {
        name
        for path in (ROOT / "audiofix").rglob("*.py")
        for name in re.findall(r"AUDIOFIX_[A-Z]+", path.read_text())
    }
    # The word through which completion scripts ask is click's, not a setting.
    assert used - {"AUDIOFIX_COMPLETE"} == {n for n in ENVIRONMENT if n.startswith("AUDIOFIX_")}


@pytest.mark.skipif(not shutil.which("groff"), reason="needs groff")
@pytest.mark.parametrize("name", PAGES)
def test_pages_are_clean_roff(name: str) -> None:
    done = subprocess.run(
        ["groff", "-man", "-ww", "-Tutf8"], input=PAGES[name].encode(), capture_output=True
    )
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.skipif(not shutil.which("bash"), reason="needs bash")
def test_the_bash_completion_is_valid() -> None:
    script = ROOT / "completions" / "audiofix.bash"
    done = subprocess.run(["bash", "-n", script], capture_output=True)
    assert (done.returncode, done.stderr) == (0, b"")
