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
        statuses: what the coming answers say instead of a file.
        headers: replaced in every answer; None leaves one out.
        ignores_if_range: whether ranges are sent of a file that has changed.
        requests: (path, Range header) of every request so far.
        hold: if set, an answer stops in its middle until this event is set.
    """

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.files: dict[str, bytes] = {}
        self.cuts: list[int] = []
        self.statuses: list[int] = []
        self.headers: dict[str, str | None] = {}
        self.ignores_if_range = False
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
        if self.server.statuses:
            self.send_response(self.server.statuses.pop(0))
            self._header("Location", "")
            self._header("Content-Length", "0")
            self.end_headers()
            return
        content = self.server.files.get(name)
        if content is None:
            self.send_error(404)
            return
        tag = f'"{hash(content) & 0xFFFFFFFF:x}"'
        start = 0
        if wanted and (self.server.ignores_if_range or self.headers.get("If-Range") in (None, tag)):
            start = int(wanted.removeprefix("bytes=").removesuffix("-"))
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        else:
            self.send_response(200)
        self._header("Content-Length", str(len(content) - start))
        self._header("ETag", tag)
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

    def _header(self, name, text):
        text = self.server.headers.get(name, text)
        if text is not None:
            self.send_header(name, text)

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
