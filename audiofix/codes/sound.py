"""A whole recording as codes, in memory."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from audiofix.audio.bytesink import ByteSink
from audiofix.codes.layout import CodeLayout, Codes
from audiofix.codes.reader import CodeReader, Gap
from audiofix.codes.writer import CodeWriter, identity_of
from audiofix.errors import InputError


@dataclass(frozen=True, slots=True, eq=False)
class CodedSound:
    """What `audiofix.encode` returns and `audiofix.decode` takes.

    Attributes:
        layout: the codec and the shape of its frames.
        codes: `[channels, frames, codebooks]`.
        samples: exact length of the sound at `layout.sound_rate`, per channel.
        axes: of the array that was encoded; 1 decodes to `[samples]`. A file does not keep it.
    """

    layout: CodeLayout
    codes: Codes
    samples: int
    axes: int = 2

    def save(self, path: str | Path) -> None:
        """Write an `.afc` file; one that is there is replaced.

        Raises:
            OutputError: it cannot be written.
        """
        with ByteSink(path, overwrite=True) as sink:
            writer = CodeWriter(sink, self.layout, identity=identity_of(self.layout, self.codes))
            writer.write(self.codes)
            writer.finish(self.samples)

    @classmethod
    def load(cls, path: str | Path) -> "CodedSound":
        """Read an `.afc` file.

        Raises:
            InputError: it cannot be read, or is damaged: `audiofix decode` saves what is whole.
        """
        try:
            with Path(path).open("rb") as file:
                reader = CodeReader(file, str(path))
                parts = [part.codes for part in reader if not isinstance(part, Gap)]
        except OSError as error:
            raise InputError(f"{path}: {error.strerror}: name a file that can be read") from error
        if reader.fault:
            raise reader.fault
        layout = reader.layout
        nothing = np.empty((layout.channels, 0, layout.codebooks), np.uint16)
        return cls(layout, np.concatenate([nothing, *parts], axis=1), reader.samples or 0)
