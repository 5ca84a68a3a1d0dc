"""AAC by PyAV (the extra `formats`), in MP4 files or bare.

In an MP4 file the length is exact. A bare ADTS stream cannot say which of its samples are padding:
it begins with 1024 more, and ends with the last frame.
"""

from typing import Any, BinaryIO

import numpy as np

from audiofix.audio.format import AudioFormat, Chunk

_BITS_PER_SECOND_AND_CHANNEL = 96_000
_LAYOUTS = {1: "mono", 2: "stereo"}


class AacWriter:
    """Puts chunks into a stream that can seek."""

    def __init__(self, kind: str, stream: BinaryIO, audio: AudioFormat) -> None:
        """Begin a file.

        Args:
            kind: `m4a` or `aac`.
            stream: takes it.
            audio: what will be written, of one or two channels.
        """
        import av

        # An MP4 file states its length in units of its own, a millisecond by default.
        options = {"movie_timescale": str(audio.rate)} if kind == "m4a" else {}
        name = {"m4a": "ipod", "aac": "adts"}[kind]
        container: Any = av.open(stream, "w", format=name, options=options)
        self._container = container
        self._audio = audio
        self._layout = _LAYOUTS[audio.channels]
        self._track = container.add_stream("aac", rate=audio.rate, layout=self._layout)
        self._track.bit_rate = _BITS_PER_SECOND_AND_CHANNEL * audio.channels
        self._samples = 0

    def write(self, chunk: Chunk) -> None:
        """Append samples."""
        import av

        frame = av.AudioFrame.from_ndarray(
            np.ascontiguousarray(chunk, np.float32), format="fltp", layout=self._layout
        )
        frame.sample_rate = self._audio.rate
        frame.pts = self._samples
        self._samples += chunk.shape[1]
        self._send(frame)

    def finish(self) -> None:
        """Write what comes after the last sample."""
        self._send(None)
        self._container.close()

    def _send(self, frame: Any) -> None:
        for packet in self._track.encode(frame):
            self._container.mux(packet)
