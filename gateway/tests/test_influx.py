"""InfluxDB's lines and answers: what a point looks like, what is a receipt, a refusal of lines, or none of our business."""

import http.server
import threading
from collections.abc import Iterator

import pytest

from gateway.config import Influx
from gateway.errors import NotDelivered
from gateway.influx import LinesRefused, Server, line
from gateway.log_reader import Point


def test_unknown_is_no_value_and_kinds_are_kept() -> None:
    point = Point(1, "lift-1", 1000, {"floor": 3, "mains": True, "speed_mm_s": None})
    assert line("s", point) == b"lift,lift=lift-1,site=s floor=3i,mains=true 1000"
    assert line("s", Point(1, "lift-1", 1000, {"floor": None})) is None


class Answering:
    """A server that always gives the same answer."""

    def __init__(self) -> None:
        self.status, self.text, self.requests = 204, b"", 0
        told = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                self.rfile.read(int(self.headers.get("Content-Length", 0)))
                told.requests += 1
                self.send_response(told.status)
                self.send_header("Location", "/login")
                self.end_headers()
                self.wfile.write(told.text)

            do_GET = do_POST  # noqa: N815  the library's name

            def log_message(self, *of: object) -> None:
                """Nothing to say."""

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def answering() -> Iterator[Answering]:
    answering = Answering()
    yield answering
    answering.close()


@pytest.mark.parametrize(
    ("status", "text"),
    [
        (200, b"<html>please log in</html>"), (202, b""), (302, b""), (307, b""), (400, b"<html>400 Bad Request</html>"),
        (400, b'{"error":"database is required"}'), (401, b""), (403, b""), (404, b'{"error":"database not found: \\"t\\""}'),
        (408, b""), (429, b""), (500, b'{"error":"partial write: no space left on device"}'), (503, b""),
    ],
)  # fmt: skip
def test_what_speaks_of_no_line_is_tried_again_by_whom_it_concerns(
    answering: Answering, status: int, text: bytes
) -> None:
    answering.status, answering.text = status, text
    with pytest.raises(NotDelivered):
        Server(Influx(answering.url)).write([b"lift floor=1i 1"])
    assert answering.requests == 1  # neither repeated nor sent on to where it was redirected


@pytest.mark.parametrize(
    ("status", "text", "dropped", "expired"),
    [
        (400, b'{"error":"partial write: field type conflict: input field \\"x\\" dropped=2"}', 2, False),
        (400, b'{"error":"partial write: unable to parse \'lift x= 5\': missing field value dropped=0"}', None, False),
        (400, b'{"error":"partial write: points beyond retention policy dropped=3"}', 3, True),
        (400, b'{"error":"partial write: max-values-per-tag limit exceeded (1/1) dropped=1"}', 1, False),
        (
            422,
            b'{"code":"unprocessable entity","message":"failure writing points: partial write: dropped=1"}',
            1,
            False,
        ),
        (400, b'{"code":"invalid","message":"unable to parse \'lift x\': missing fields"}', None, False),
        (400, b'{"error":"partial write of line protocol occurred","data":[{"line_number":1}]}', None, False),
        (413, b"", None, False),
    ],
)
def test_what_speaks_of_lines_refuses_them(
    answering: Answering, status: int, text: bytes, dropped: int | None, expired: bool
) -> None:
    answering.status, answering.text = status, text
    with pytest.raises(LinesRefused) as found:
        Server(Influx(answering.url)).write([b"lift floor=1i 1"])
    assert (found.value.dropped, found.value.expired) == (dropped, expired)


def test_an_answer_without_our_measurement_is_no_history(answering: Answering) -> None:
    answering.status = 200
    # So VictoriaMetrics answers every InfluxQL query.
    answering.text = b'{"results":[{"series":[{"name":"databases","columns":["name"],"values":[["_internal"]]}]}]}'
    with pytest.raises(NotDelivered, match="no InfluxQL"):
        Server(Influx(answering.url)).history("lift-1", 0, 1, ["floor"], 10)
