"""A small server of files for the download's tests: ranges, tags and bad luck. The server is the standard library's."""

from __future__ import annotations

import base64
import hashlib
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any


class Source:
    """The files of one server, and what happens to those who ask. ``asked`` holds (name, first byte)."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.url = ""
        self.asked: list[tuple[str, int]] = []
        self.cut_at: dict[str, int] = {}
        self.wrong_md5: set[str] = set()
        self.says_md5 = True

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        """Serve a file, from the byte that is asked for where the caller's tag is still right."""
        name = request.path.rsplit("/", 1)[-1]
        path = self.folder / request.path.lstrip("/")
        if not path.is_file():
            request.send_error(404)
            return
        content = path.read_bytes()
        tag = f'"{hashlib.sha256(content).hexdigest()[:16]}"'
        asked = re.fullmatch(r"bytes=(\d+)-", request.headers.get("Range", ""))
        start = int(asked[1]) if asked and request.headers.get("If-Range") == tag else 0
        self.asked.append((name, start))
        request.send_response(206 if start else 200)
        request.send_header("ETag", tag)
        request.send_header("Content-Length", str(len(content) - start))
        if self.says_md5 and not start:
            right = hashlib.md5(content, usedforsecurity=False).digest()
            stated = b"\0" * 16 if name in self.wrong_md5 else right
            request.send_header("Content-MD5", base64.b64encode(stated).decode("ascii"))
        request.end_headers()
        end = self.cut_at.pop(name, len(content))
        request.wfile.write(content[start:end])


@contextmanager
def serving(folder: Path) -> Iterator[Source]:
    """Serve a folder on a free port of this machine."""
    source = Source(folder)

    class Files(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            source.answer(self)

        def log_message(self, *_: Any) -> None:
            """Nothing: a test's output is its own."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Files)
    source.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield source
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
