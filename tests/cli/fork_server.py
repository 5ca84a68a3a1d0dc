"""A process that has imported what commands import, and forks once for each command.

Importing torch takes a hundred times as long as most commands of the tests. The server reads a
command as a line of JSON with the descriptors of its three streams, and answers with its status.
"""

import gc
import json
import os
import socket
import sys
from importlib import import_module

_PRELOADED = (
    "audiofix.api",
    "audiofix.audio.sink",
    "audiofix.backends.apollo.restore",
    "audiofix.backends.audiodec.codec",
    "audiofix.backends.autoregressive.inpaint",
    "audiofix.backends.envelope.upsample",
    "audiofix.backends.systems",
    "audiofix.backends.vmasr.restore",
    "audiofix.codes.reader",
    "audiofix.codes.writer",
    "audiofix.evaluation.page",
    "audiofix.evaluation.tables",
    "audiofix.evaluation.trials",
    "audiofix.jobs.batch",
    "audiofix.jobs.coding",
    "audiofix.jobs.perform",
    "audiofix.ops.selective_scan",
    "audiofix.streaming.overlap",
)


def wait_for_command(channel: socket.socket) -> None:
    """Fork for every command that comes; return in each child, which is to run it."""
    while True:
        message, descriptors, *_ = socket.recv_fds(channel, 1 << 16, 3)
        while not message.endswith(b"\n"):
            if not (more := channel.recv(1 << 16)):
                sys.exit()
            message += more
        process = os.fork()
        if not process:
            channel.close()
            _become(json.loads(message), descriptors)
            return
        for descriptor in descriptors:
            os.close(descriptor)
        status = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
        channel.sendall(f"{status}\n".encode())


def _become(command: dict, descriptors: list[int]) -> None:
    """Take over the words, streams, folder and environment of a command."""
    for stream, descriptor in enumerate(descriptors):
        os.dup2(descriptor, stream)
        os.close(descriptor)
    sys.stdin, sys.stdout, sys.stderr = open(0), open(1, "w"), open(2, "w")
    sys.argv = ["audiofix", *command["arguments"]]
    os.chdir(command["cwd"])
    os.environ.clear()
    os.environ.update(command["env"])


if __name__ == "__main__":
    for name in _PRELOADED:
        import_module(name)
    for verb, _ in import_module("audiofix.verbs").VERBS.values():
        import_module(verb)
    gc.freeze()
    wait_for_command(socket.socket(fileno=int(sys.argv[1])))
    try:
        import_module("audiofix.cli.main").main()
    except SystemExit as end:  # that is how it ends
        sys.stderr.flush()
        os._exit(end.code)  # taking all that was imported to pieces takes longer than the command
