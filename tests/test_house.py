"""Rules of the house that no linter knows."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PROVEN_BY_COMMANDS = {
    "audiofix/stages.py": "tests/test_api.py",
    "audiofix/backends/a2sb/request.py": "tests/backends/a2sb/test_upsample.py",
    "audiofix/backends/autoregressive/system.py": "tests/backends/autoregressive/test_inpaint.py",
    "audiofix/backends/a2sb/blocks.py": "tests/parity/test_a2sb.py",
    "audiofix/backends/a2sb/bridge.py": "tests/parity/test_a2sb.py",
    "audiofix/backends/a2sb/config.py": "tests/parity/test_a2sb.py",
    "audiofix/backends/a2sb/image.py": "tests/parity/test_a2sb.py",
    "audiofix/backends/a2sb/masks.py": "tests/parity/test_a2sb.py",
    "audiofix/backends/a2sb/network.py": "tests/parity/test_a2sb.py",
    "audiofix/backends/a2sb/windows.py": "tests/parity/test_a2sb.py",
    "trainers/recipes/a2sb_loss.py": "tests/parity/test_a2sb.py",
    "audiofix/cli/console.py": "tests/cli/test_main.py",
    "audiofix/cli/progress.py": "tests/cli/test_main.py",
    "audiofix/codes/report.py": "tests/cli/test_codes.py",
    "audiofix/evaluation/evaluate.py": "tests/cli/test_eval.py",
    "audiofix/evaluation/tables.py": "tests/cli/test_eval.py",
    "audiofix/evaluation/trials.py": "tests/cli/test_eval.py",
    "audiofix/evaluation/damage_comparison.py": "tests/evaluation/test_comparison.py",
    "audiofix/jobs/attempt.py": "tests/cli/test_folders.py",
    "audiofix/jobs/batch.py": "tests/cli/test_folders.py",
    "audiofix/jobs/coding.py": "tests/cli/test_coding.py",
    "audiofix/jobs/fragment.py": "tests/cli/test_folders.py",
    "audiofix/jobs/job.py": "tests/cli/test_folders.py",
    "audiofix/jobs/options.py": "tests/cli/test_pipes.py",
    "audiofix/jobs/perform.py": "tests/cli/test_pipes.py",
    "audiofix/jobs/sound.py": "tests/cli/test_pipes.py",
    "audiofix/jobs/stream.py": "tests/cli/test_pipes.py",
    "audiofix/jobs/workers.py": "tests/cli/test_folders.py",
    "audiofix/streaming/codec.py": "tests/streaming/test_roundtrip.py",
    "audiofix/verbs/chain.py": "tests/cli/test_chain.py",
    "audiofix/verbs/decode.py": "tests/cli/test_coding.py",
    "audiofix/verbs/decode_restore.py": "tests/cli/test_restoring.py",
    "audiofix/verbs/encode.py": "tests/cli/test_coding.py",
    "audiofix/verbs/evaluate.py": "tests/cli/test_eval.py",
    "audiofix/verbs/generate.py": "tests/cli/test_generate.py",
    "audiofix/verbs/train.py": "tests/cli/test_train.py",
    "audiofix/verbs/options.py": "tests/cli/test_main.py",
    "audiofix/verbs/upsample.py": "tests/cli/test_pipes.py",
    "audiofix/audio/bytestream.py": "tests/audio/test_source.py",
    "audiofix/audio/foreign.py": "tests/audio/test_source.py",
    "audiofix/audio/wave.py": "tests/audio/test_source.py",
    "audiofix/audio/destination.py": "tests/audio/test_sink.py",
    "audiofix/audio/writers.py": "tests/audio/test_sink.py",
    "audiofix/audio/au.py": "tests/audio/test_sink.py",
    "audiofix/audio/format.py": "tests/audio/test_source.py",
    "audiofix/evaluation/options.py": "tests/cli/test_eval.py",
    "audiofix/backends/asgan/classifier.py": "tests/parity/test_asgan.py",
    "audiofix/backends/asgan/discriminator.py": "tests/parity/test_asgan.py",
    "audiofix/backends/asgan/equalized.py": "tests/parity/test_asgan.py",
    "audiofix/backends/asgan/hubert.py": "tests/parity/test_asgan.py",
    "audiofix/backends/asgan/input_waves.py": "tests/parity/test_asgan.py",
    "audiofix/backends/asgan/vocoder.py": "tests/parity/test_asgan.py",
    "audiofix/backends/apollo/discriminator.py": "tests/parity/test_apollo.py",
    "audiofix/backends/apollo/network.py": "tests/parity/test_apollo.py",
    "audiofix/backends/apollo/system.py": "tests/backends/test_systems.py",
    "audiofix/backends/audiodec/autoencoder.py": "tests/parity/test_audiodec.py",
    "audiofix/backends/audiodec/inference.py": "tests/backends/audiodec/test_stream.py",
    "audiofix/backends/audiodec/vocoder.py": "tests/parity/test_audiodec.py",
    "audiofix/backends/a2sb/system.py": "tests/backends/test_systems.py",
    "audiofix/backends/asgan/system.py": "tests/backends/test_systems.py",
    "audiofix/backends/audiodec/system.py": "tests/backends/test_systems.py",
    "audiofix/backends/system.py": "tests/backends/test_systems.py",
    "audiofix/backends/tasks.py": "tests/backends/test_systems.py",
    "audiofix/backends/envelope/config.py": "tests/backends/envelope/test_network.py",
    "audiofix/backends/envelope/system.py": "tests/backends/test_systems.py",
    "audiofix/backends/vmasr/system.py": "tests/backends/test_systems.py",
    "audiofix/backends/vmasr/blocks.py": "tests/parity/test_vmasr.py",
    "audiofix/backends/vmasr/config.py": "tests/parity/test_vmasr.py",
    "audiofix/backends/vmasr/discriminator.py": "tests/parity/test_vmasr.py",
    "audiofix/backends/vmasr/network.py": "tests/parity/test_vmasr.py",
    "audiofix/backends/vmasr/released.py": "tests/backends/test_released_files.py",
    "audiofix/backends/vmasr/scan2d.py": "tests/parity/test_vmasr.py",
    "audiofix/errors.py": "tests/cli/test_main.py",
    "audiofix/exit_status.py": "tests/cli/test_main.py",
    "audiofix/version.py": "tests/cli/test_main.py",
    "trainers/data/activity.py": "tests/parity/test_apollo.py",
    "trainers/recipes/apollo_losses.py": "tests/parity/test_apollo.py",
    "trainers/recipes/envelope_items.py": "tests/trainers/recipes/test_envelope.py",
    "trainers/recipes/envelope_settings.py": "tests/trainers/recipes/test_envelope.py",
    "trainers/recipe.py": "tests/trainers/test_loop.py",
}
"""Modules whose tests are somewhere else than their mirror, and where."""

SYSTEM = re.compile(r"vm-?asr|audiodec|apollo|a2sb|asgan|backends\.envelope|\benvelope-", re.I)
"""What names a system in code; `envelope` alone is a word of the field."""

AT_HOME = re.compile(
    r"audiofix/backends/(vmasr|audiodec|apollo|a2sb|asgan|envelope|table)\b|trainers/recipes/"
)
"""Where systems may be named: their packages, the table that lists them, their recipes."""

MAY_NAME_SYSTEMS = {
    "audiofix/metrics/spectral.py": "presets of the LSD say which papers' definition they are",
}
"""Modules elsewhere that name one, and why."""


def modules():
    return [
        str(path.relative_to(ROOT))
        for folder in ("audiofix", "trainers")
        for path in sorted((ROOT / folder).rglob("*.py"))
        if not path.name.startswith("__")
    ]


@pytest.mark.parametrize("module", modules())
def test_every_module_has_its_tests(module):
    path = Path(module)
    inside = path.relative_to("audiofix") if path.parts[0] == "audiofix" else path
    mirror = Path("tests") / inside.parent / f"test_{inside.name}"
    assert (ROOT / PROVEN_BY_COMMANDS.get(module, mirror)).exists()
    assert module not in PROVEN_BY_COMMANDS or not (ROOT / mirror).exists()


def test_the_map_of_exceptions_is_not_stale():
    assert set(PROVEN_BY_COMMANDS) <= set(modules())


def test_trainers_and_kernels_are_not_on_the_path(tmp_path):
    script = "import importlib.util as u; print(u.find_spec('trainers'), u.find_spec('kernels'))"
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["None", "None"]


@pytest.mark.parametrize("module", modules())
def test_modules_and_functions_stay_readable_in_one_sitting(module):
    text = (ROOT / module).read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 400
    functions = [n for n in ast.walk(ast.parse(text)) if isinstance(n, ast.FunctionDef)]
    assert [n.name for n in functions if n.end_lineno - n.lineno >= 50] == []


def systems_named(text):
    """Return the names of systems in code: in imports, names and texts, not where papers are cited.

    A text that stands alone documents something.
    """
    found = []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            node.value.value = ""
        words = [getattr(node, key, None) for key in ("module", "name", "id", "attr", "arg")]
        words += [node.value] if isinstance(node, ast.Constant) else []
        found += [word for word in words if isinstance(word, str) and SYSTEM.search(word)]
    return found


def test_systems_are_named_at_home_only():
    elsewhere = [m for m in modules() if not AT_HOME.match(m)]
    named = {m for m in elsewhere if systems_named((ROOT / m).read_text(encoding="utf-8"))}
    assert named == set(MAY_NAME_SYSTEMS)


def test_what_counts_as_a_name():
    code = "'''As in Apollo.'''\nfrom audiofix.backends.vmasr import x\nif s == 'a2sb': y.asgan()"
    assert systems_named(code) == ["audiofix.backends.vmasr", "a2sb", "asgan"]
    assert systems_named("envelope = envelope_of(x)  # AudioDec") == []
