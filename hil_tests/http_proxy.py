"""An HTTP proxy before a real server: slow, failing by script, or speaking InfluxDB 2's write API for one that lacks it."""

import http.client
import http.server
import json
import re
import threading
import time
import urllib.parse
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

CHUNK_BYTES = 4096


@dataclass
class Trouble:
    """What a client gets in place of the server's answer; `forwarded`: the server got the request all the same.

    Status 0 cuts the connection. `behind` is called once the server has answered.
    """

    status: int
    text: str = ""
    forwarded: bool = False
    behind: Callable[[], object] = lambda: None


class HttpProxy:
    """Listens on a free port of loopback and passes requests on. `trouble(number, path)` may spoil each POST, from number 1 on."""

    def __init__(self, target_port: int, *, speaks_v2: bool = False) -> None:
        """`speaks_v2`: /api/v2/write is passed to /write of 1.x, with the refusals of 2.x."""
        self.target_port, self._speaks_v2 = target_port, speaks_v2
        self.trouble: Callable[[int, str], Trouble | None] = lambda number, path: None
        self.bytes_per_s: float | None = None
        self.most_bytes: int | None = None
        self.posts = 0
        self.tokens: set[str] = set()
        proxy = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                proxy._pass(self, b"")

            def do_POST(self) -> None:
                proxy._post(self)

            def log_message(self, *of: Any) -> None:
                """Who counts, counts `posts`."""

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.port = int(self._server.server_address[1])
        threading.Thread(target=self._server.serve_forever, args=(0.01,), name="http proxy", daemon=True).start()

    def close(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()

    def _post(self, request: http.server.BaseHTTPRequestHandler) -> None:
        length = int(request.headers.get("Content-Length", 0))
        if self.most_bytes is not None and length > self.most_bytes:
            request.rfile.read(length)
            _answer(request, 413, b'{"error":"Request Entity Too Large"}')
            return
        body = b""
        while len(body) < length:
            piece = request.rfile.read(min(CHUNK_BYTES, length - len(body)))
            if not piece:
                return  # the client gave up
            body += piece
            if self.bytes_per_s is not None:
                time.sleep(len(piece) / self.bytes_per_s)
        self.posts += 1
        self.tokens.add(request.headers.get("Authorization", ""))
        trouble = self.trouble(self.posts, request.path)
        if trouble is None:
            self._pass(request, body)
            return
        if trouble.forwarded:
            self._forward(request, body)
            trouble.behind()
        if trouble.status:
            _answer(request, trouble.status, trouble.text.encode())
        else:
            request.close_connection = True

    def _pass(self, request: http.server.BaseHTTPRequestHandler, body: bytes) -> None:
        try:
            status, answer = self._forward(request, body)
        except (OSError, http.client.HTTPException):
            request.close_connection = True
            return
        _answer(request, status, answer)

    def _forward(self, request: http.server.BaseHTTPRequestHandler, body: bytes) -> tuple[int, bytes]:
        path = request.path
        is_v2 = self._speaks_v2 and path.startswith("/api/v2/write?")
        if is_v2:
            query = urllib.parse.parse_qs(urllib.parse.urlsplit(path).query)
            if "org" not in query:
                return 400, b'{"code":"invalid","message":"org is required"}'
            path = f"/write?db={query['bucket'][0]}&precision={query['precision'][0]}"
        connection = http.client.HTTPConnection("127.0.0.1", self.target_port, timeout=10)
        try:
            connection.request(request.command, path, body or None)
            answer = connection.getresponse()
            status, text = answer.status, answer.read()
        finally:
            connection.close()
        return _as_v2(status, text) if is_v2 else (status, text)


def _as_v2(status: int, text: bytes) -> tuple[int, bytes]:
    """The answer of 1.x as 2.x gives it: 422 for points that do not fit, 400 for lines that it cannot read."""
    if status != 400:
        return status, text
    reason = str(json.loads(text)["error"])
    if "unable to parse" in reason:
        unread = re.sub(r"^partial write: | dropped=\d+$", "", reason)
        return 400, json.dumps({"code": "invalid", "message": unread}).encode()
    told = {"code": "unprocessable entity", "message": f"failure writing points to database: {reason}"}
    return 422, json.dumps(told).encode()


def _answer(request: http.server.BaseHTTPRequestHandler, status: int, text: bytes) -> None:
    request.send_response(status)
    if status != 204:
        request.send_header("Content-Length", str(len(text)))
    request.end_headers()
    if status != 204:
        request.wfile.write(text)
