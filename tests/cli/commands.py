"""How tests start audiofix as a user would."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from threading import Thread
from typing import BinaryIO

Run = Callable[..., subprocess.CompletedProcess[bytes]]
"""`run(*arguments, stdin=b"", cwd=None, env=None)`: run a command to its end."""

_SECONDS = 200.0
"""After so long a command hangs."""


def command_line(arguments: Sequence[str | Path]) -> list[str]:
    """Return the words that start audiofix with these arguments."""
    return [sys.executable, "-m", "audiofix", *map(str, arguments)]


def run_fresh(
    arguments: Sequence[str | Path], stdin: bytes, cwd: Path | None, env: Mapping[str, str]
) -> subprocess.CompletedProcess[bytes]:
    """Run a command in a process that starts from nothing."""
    return subprocess.run(
        command_line(arguments),
        input=stdin,
        capture_output=True,
        cwd=cwd,
        env=env,
        timeout=_SECONDS,
    )


class Forks:
    """Runs commands in forks of one process that has everything imported."""

    def __init__(self, env: Mapping[str, str]) -> None:
        """Start that process; libraries that read the environment when they load see `env`."""
        self._channel, theirs = socket.socketpair()
        self._channel.settimeout(_SECONDS)
        server = Path(__file__).with_name("fork_server.py")
        self._server = subprocess.Popen(
            [sys.executable, str(server), str(theirs.fileno())], pass_fds=[theirs.fileno()], env=env
        )
        theirs.close()

    def run(
        self,
        arguments: Sequence[str | Path],
        stdin: bytes,
        cwd: Path | None,
        env: Mapping[str, str],
    ) -> subprocess.CompletedProcess[bytes]:
        """Run a command in a fork; everything it sees is as in a process of its own."""
        words = [str(argument) for argument in arguments]
        command = {"arguments": words, "cwd": str(cwd or Path.cwd()), "env": dict(env)}
        (its_input, feed), (read, its_output), (read_errors, its_errors) = (
            os.pipe() for _ in range(3)
        )
        its_own = [its_input, its_output, its_errors]
        socket.send_fds(self._channel, [json.dumps(command).encode() + b"\n"], its_own)
        for descriptor in its_own:
            os.close(descriptor)
        found: dict[str, bytes] = {}
        errors = os.fdopen(read_errors, "rb")
        threads = [
            Thread(target=_feed, args=(os.fdopen(feed, "wb"), stdin), daemon=True),
            Thread(target=lambda: found.update(stderr=errors.read()), daemon=True),
        ]
        for thread in threads:
            thread.start()
        with os.fdopen(read, "rb") as output:
            found["stdout"] = output.read()
        for thread in threads:
            thread.join()
        errors.close()
        status = int(self._channel.recv(16))
        return subprocess.CompletedProcess(words, status, found["stdout"], found["stderr"])

    def close(self) -> None:
        """End the process."""
        self._channel.close()
        self._server.wait()


def _feed(pipe: BinaryIO, data: bytes) -> None:
    try:
        with pipe:
            pipe.write(data)
    except BrokenPipeError:
        pass  # the command did not want it
