"""One recording to codes, and one stream of codes to a recording."""

import logging
import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from audiofix.audio.bytesink import ByteSink
from audiofix.audio.bytestream import name_of, open_bytes
from audiofix.audio.devices import Loudspeaker, find_device, open_microphone
from audiofix.audio.excerpt import Excerpt
from audiofix.audio.format import AudioFormat, Chunk, as_chunk
from audiofix.audio.sink import Sink, open_sink
from audiofix.audio.source import Source, open_source
from audiofix.checkpoints.digest import sha256_of
from audiofix.codes.layout import CodeLayout
from audiofix.codes.reader import CodeReader, Gap
from audiofix.codes.writer import PACKET_FRAMES, CodeWriter, identity_of
from audiofix.jobs.job import PIPE, IOOptions, Job, Progress
from audiofix.jobs.latency import LatencyMeter
from audiofix.jobs.signals import postponed_signals
from audiofix.jobs.stream import log_source
from audiofix.streaming.codec import Codec, Use
from audiofix.streaming.decoding import Decoding, refuse_other_codebooks

log = logging.getLogger(__name__)

_BLOCK_SECONDS = 0.25
_LIVE_PACKET_FRAMES = 4
"""A listener waits for a packet: fewer frames in each make the codes' own bytes a small part."""


@dataclass(frozen=True, slots=True)
class Microphone:
    """What to record with.

    Attributes:
        device: part of its name, or its number; None for the system's own.
        rate: samples per second; None takes the codec's, or the device's if it lacks that.
        channels: to record.
    """

    device: str | None
    rate: int | None
    channels: int


@dataclass(frozen=True, slots=True)
class Player:
    """What to play with: part of the device's name, or its number; None for the system's own."""

    device: str | None


def encode(
    job: Job,
    loaded: Callable[[], Codec],
    io: IOOptions,
    progress: Progress | None,
    *,
    codebooks: Callable[[Codec], int],
    realtime: bool,
    microphone: Microphone | None,
) -> None:
    """Encode one recording.

    Args:
        job: the recording and where its codes go.
        loaded: gives the codec.
        io: how to read.
        progress: see `Effect.run`.
        codebooks: how many of the codec's to write.
        realtime: send every few frames, and report delays.
        microphone: what is recorded until a signal comes, instead of a recording.

    Raises:
        InputError: the recording ended before its header's promise; what there was is encoded.
        DeviceError: the microphone is absent or in use.
    """
    assert job.output is not None
    with _open_sound(job, loaded, io, microphone) as source:
        log_source(source)
        codec = loaded()
        layout = replace(
            codec.layout,
            channels=source.format.channels,
            codebooks=codebooks(codec),
            source_rate=source.format.rate,
            source_bits=source.bits,
        )
        meter = LatencyMeter(layout.hop / layout.rate) if realtime else None
        tick = progress(source) if progress else None
        with ByteSink(job.output, overwrite=io.overwrite) as sink:
            _encode(source, codec, layout, sink, _told_apart(job, io), meter, tick)
        if meter:
            log.warning("%s: %s", source.name, meter.summary())
        if source.fault:
            raise source.fault


def _encode(
    source: Source,
    codec: Codec,
    layout: CodeLayout,
    sink: ByteSink,
    told_apart: object,
    meter: LatencyMeter | None,
    tick: Callable[[int], None] | None,
) -> None:
    """Send the codes of a source; with a meter every few frames at once.

    The stream's identity is drawn from `told_apart`, the layout, the tags and the opening.
    """
    use: Use = "live" if meter else "file"
    encoder = codec.encoder(source.format, use, codebooks=layout.codebooks)
    block = _block_samples(source, layout, meter is not None)
    chunk, done = source.read(block), 0
    writer = CodeWriter(
        sink,
        layout,
        tags=source.tags.fields,
        packet_frames=_LIVE_PACKET_FRAMES if meter else PACKET_FRAMES,
        identity=identity_of(told_apart, layout, source.tags.fields, chunk),
    )
    while chunk.shape[1]:
        done += chunk.shape[1]
        if meter:
            meter.wait(done / source.format.rate - layout.seconds(writer.frames))
        begin = time.perf_counter()
        writer.write(encoder.push(chunk))
        if meter:
            meter.note(time.perf_counter() - begin)
            sink.flush()
        if tick:
            tick(done)
        chunk = source.read(block)
    writer.write(encoder.flush())
    writer.finish(done)


def decode(
    job: Job,
    loaded: Callable[[], Callable[[CodeLayout], Codec]],
    io: IOOptions,
    *,
    realtime: bool,
    vocoder: bool | None,
    max_gap_seconds: float,
    player: Player | None,
) -> None:
    """Decode one stream of codes; what is missing in it becomes silence.

    Args:
        job: the codes and where the sound goes.
        loaded: gives the codec that a layout was made with.
        io: how to write.
        realtime: send every frame at once, and report delays.
        vocoder: whether to decode by the codec's vocoder; None takes what it has.
        max_gap_seconds: the most that may be missing in total.
        player: what the sound is played with, instead of a file.

    Raises:
        CheckpointError: the codec has other codebooks than the codes were made with.
        InputError: the codes are damaged; what arrived is decoded.
        DeviceError: the loudspeaker is absent or in use.
    """
    assert job.source is not None
    with open_bytes(job.source) as stream:
        reader = CodeReader(stream, name_of(job.source), max_gap_seconds=max_gap_seconds)
        layout = reader.layout
        codec = loaded()(layout)
        refuse_other_codebooks(codec, layout, reader.name)
        use: Use = "live" if realtime else "file"
        decoding = Decoding(
            layout,
            lambda: codec.decoder(layout.channels, use, vocoder=vocoder),
            block_seconds=layout.seconds(1) if realtime else math.inf,
        )
        meter = LatencyMeter(layout.hop / layout.rate) if realtime else None
        with _open_result(job, layout, reader, io, player) as sink:
            excerpt = Excerpt(layout.sound_rate, io.start, io.duration)
            for sound in _decoded(reader, decoding, meter):
                sink.write(as_chunk(sound[:, excerpt.next(sound.shape[1])]))
                if meter:
                    sink.flush()
        if meter:
            log.warning("%s: %s", reader.name, meter.summary())
        if reader.fault:
            raise reader.fault


def _decoded(reader: CodeReader, decoding: Decoding, meter: LatencyMeter | None) -> Iterator[Chunk]:
    """Yield the sound of codes, silence where some are missing."""
    layout = reader.layout
    for part in reader:
        if isinstance(part, Gap):
            yield from decoding.skip(part.frames)
            continue
        begin = time.perf_counter()
        sound = decoding.push(part.codes)
        if meter:
            meter.note(time.perf_counter() - begin, part.frames)
            meter.wait(layout.seconds(reader.frames) - decoding.sent / layout.sound_rate)
        yield sound
    yield decoding.finish(reader.samples)


@contextmanager
def _open_sound(
    job: Job,
    loaded: Callable[[], Codec],
    io: IOOptions,
    microphone: Microphone | None,
) -> Iterator[Source]:
    if microphone is None:
        assert job.source is not None
        with open_source(job.source, headerless=io.headerless) as source:
            source.take(io.start, io.duration)
            yield source
        return
    device = find_device(microphone.device, "input")
    rates = (microphone.rate,) if microphone.rate else (loaded().layout.rate, device.rate)
    with (
        postponed_signals() as ended,
        open_microphone(device, rates, microphone.channels, ended=ended) as source,
    ):
        yield source


def _open_result(
    job: Job, layout: CodeLayout, reader: CodeReader, io: IOOptions, player: Player | None
) -> Sink | Loudspeaker:
    from audiofix.audio.tags import Tags

    if player:
        return Loudspeaker(
            find_device(player.device, "output"), (layout.sound_rate,), layout.channels
        )
    assert job.output is not None
    return open_sink(
        job.output,
        AudioFormat(layout.sound_rate, layout.channels),
        kind=io.kind,
        bits=io.bits,
        usual_bits=layout.source_bits or "32f",
        tags=Tags({name: list(values) for name, values in reader.tags.items()}),
        overwrite=io.overwrite,
        seed=io.seed,
    )


def _told_apart(job: Job, io: IOOptions) -> object:
    """Return what tells this stream of codes from others that begin with the same samples.

    Of a file all its bytes; of a pipe nothing, for what comes later is not known when the header
    goes out.
    """
    is_file = job.source is not None and job.source != PIPE and job.source.is_file()
    content = sha256_of(job.source) if job.source is not None and is_file else None
    return io.seed, io.start, io.duration, content


def _block_samples(source: Source, layout: CodeLayout, realtime: bool) -> int:
    seconds = layout.hop / layout.rate if realtime else _BLOCK_SECONDS
    return max(1, round(source.format.rate * seconds))
