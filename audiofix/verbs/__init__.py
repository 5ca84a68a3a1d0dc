"""One module per verb. A new verb is one file here and one row in this table."""

from collections.abc import Mapping

VERBS: Mapping[str, tuple[str, str]] = {
    "upsample": ("audiofix.verbs.upsample", "Add the missing high band of speech and music."),
    "decode-restore": (
        "audiofix.verbs.decode_restore",
        "Restore what MP3 and other lossy codecs took away.",
    ),
    "inpaint": ("audiofix.verbs.inpaint", "Fill gaps, dropouts and clicks; keep the rest."),
    "encode": ("audiofix.verbs.encode", "Encode speech as the codes of a neural codec."),
    "decode": ("audiofix.verbs.decode", "Decode the codes of a neural codec to sound."),
    "generate": ("audiofix.verbs.generate", "Make speech from nothing, or from latents."),
    "chain": ("audiofix.verbs.chain", "Send sound through several verbs, in one process."),
    "train": ("audiofix.verbs.train", "Train a system on your own recordings."),
    "eval": ("audiofix.verbs.evaluate", "Measure estimates, or a model, against references."),
    "info": ("audiofix.verbs.info", "Tell what a recording really is."),
    "models": ("audiofix.verbs.models", "Manage checkpoints: list, pull, import, verify, ..."),
    "doctor": ("audiofix.verbs.doctor", "Tell what this machine offers to audiofix."),
}
"""Verb -> module whose `command` is the click command, and the line that `--help` prints."""
