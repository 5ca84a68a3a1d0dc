"""Effects from sound to sound. Verbs import this module for help: it loads nothing."""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from audiofix.jobs.job import IOOptions, Job, Progress, Stream

if TYPE_CHECKING:
    from audiofix.audio.folder import Wanted
    from audiofix.streaming.stage import Stage


class SoundEffect:
    """An effect from sound to sound: a subclass has `load` and `stage`."""

    makes: str | None = None
    takes: ClassVar["Wanted"] = "audio"
    reads: ClassVar[bool] = True
    writes: ClassVar[bool] = True
    keeps_bits: ClassVar[bool] = True
    """Whether a file takes over the input's sample format, rather than that of a pipe."""

    @property
    def exact(self) -> bool:
        """Whether the stage is pushed float64, because it returns samples as they were."""
        return False

    def load(self) -> Any:
        """Load the model, once a process."""
        raise NotImplementedError

    def stage(self, source: Stream, loaded: Any) -> "Stage":
        """Return a fresh stage for one stream; `loaded` is what `load` gave."""
        raise NotImplementedError

    def run(
        self,
        job: Job,
        loaded: Callable[[], Any],
        io: IOOptions,
        progress: Progress | None = None,
    ) -> None:
        """Send one input through a fresh stage into its output."""
        from audiofix.jobs.stream import run_stream

        make_stage = partial(self._stage_of, loaded)
        run_stream(job, make_stage, io, progress, exact=self.exact, keeps_bits=self.keeps_bits)

    def _stage_of(self, loaded: Callable[[], Any], source: Stream) -> "Stage":
        return self.stage(source, loaded())
