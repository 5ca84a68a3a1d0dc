"""Folders of coded recordings beside their originals."""

from pathlib import Path

from audiofix.audio.folder import audio_below
from audiofix.errors import InputError

_ORIGINALS = ("original", "ori_wav", "ori")
_CODED = ("codec", "codec_wav", "coded")


def found_pairs(folder: Path) -> dict[str, tuple[Path, Path]]:
    """Return name -> original and coded recording of a folder.

    Either two folders `original` and `codec` hold recordings of the same names, or each folder
    below holds an `original` and a `codec`; the authors of Apollo write `ori_wav` and `codec_wav`.

    Raises:
        InputError: there are none.
    """
    files = audio_below(folder)
    named = {path.relative_to(folder).with_suffix("").as_posix(): path for path in files}
    found = {}
    for name, path in named.items():
        parts = name.split("/")
        for place in {0, len(parts) - 1}:
            if parts[place] in _ORIGINALS:
                twins = ["/".join([*parts[:place], word, *parts[place + 1 :]]) for word in _CODED]
                twin = next((named[one] for one in twins if one in named), None)
                rest = "/".join(parts[:place] + parts[place + 1 :])
                if twin:
                    found[rest or path.stem] = (path, twin)
    if not found:
        raise InputError(
            f"{folder}: no pairs: it needs folders original/ and codec/, or in each folder files "
            "original.* and codec.*"
        )
    return found
