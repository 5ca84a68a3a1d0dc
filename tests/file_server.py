"""A local file server that can cut connections, serve wrong bytes and wait for a signal."""

import http.server
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress


class Server(http.server.ThreadingHTTPServer):
    """Serves `files` by name, with byte ranges.

    Attributes:
        files: name -> content.
        cuts: how many bytes each coming answer may send before the connection drops.
        requests: (path, Range header) of every request so far.
        hold: if set, an answer stops in its middle until this event is set.
    """

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.files: dict[str, bytes] = {}
        self.cuts: list[int] = []
        self.requests: list[tuple[str, str | None]] = []
        self.hold: threading.Event | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(http.server.BaseHTTPRequestHandler):
    server: Server

    def do_GET(self):
        name = self.path.rsplit("/", 1)[-1]
        wanted = self.headers.get("Range")
        self.server.requests.append((self.path, wanted))
        content = self.server.files.get(name)
        if content is None:
            self.send_error(404)
            return
        tag = f'"{hash(content) & 0xFFFFFFFF:x}"'
        start = 0
        if wanted and self.headers.get("If-Range") in (None, tag):
            start = int(wanted.removeprefix("bytes=").removesuffix("-"))
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        else:
            self.send_response(200)
        self.send_header("Content-Length", str(len(content) - start))
        self.send_header("ETag", tag)
        self.end_headers()
        body = content[start:]
        if self.server.cuts:
            self.wfile.write(body[: self.server.cuts.pop(0)])
            self.wfile.flush()
            self.connection.close()
            return
        if self.server.hold:
            self.wfile.write(body[: len(body) // 2])
            self.wfile.flush()
            self.server.hold.wait(30)
            body = body[len(body) // 2 :]
        with suppress(OSError):
            self.wfile.write(body)

    def log_message(self, *_):
        pass


@contextmanager
def running() -> Iterator[Server]:
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()
