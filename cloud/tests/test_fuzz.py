"""What the description of the API promises holds for requests made from it at random, right and wrong: schemathesis over every operation."""

import itertools
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from cloud import description
from cloud.app import create_app
from cloud.settings import Limits, Settings
from cloud.tests.conftest import CHEAP, Cloud, incident, live, record

# A stream has no end; schemathesis would wait for it.
DOCUMENT = description.of(create_app("sqlite+aiosqlite://"))
SCHEMA = schemathesis.openapi.from_dict(DOCUMENT).exclude(path="/api/v1/live")
# A server error is one that is not described: that no gateway is connected is said with 503.
CHECKS = [
    status_code_conformance, content_type_conformance, response_headers_conformance,
    response_schema_conformance, negative_data_rejection,
]  # fmt: skip
NUMBERS = itertools.count()


@pytest.fixture(scope="module")
def fuzzed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """A cloud with one of each object, by the ids that KNOWN gives to half of the requests."""
    many = Limits(actor=10**6, address=10**6, attempts=10**6)
    database = f"sqlite+aiosqlite:///{tmp_path_factory.mktemp('fuzz')}/c.db"
    with Cloud(database, Settings(passwords=CHEAP, limits=many)) as client:
        with client.websocket_connect("/api/v1/gateways/g-1/link") as socket:
            socket.send_json({"type": "hello", "gateway": "g-1", "version": "1", "lifts": [record("lift-1")]})
            socket.receive_json()
            socket.send_json({"type": "live", "t_ms": 1, "lifts": [live("lift-1")]})
            socket.send_json({"type": "incident", "incident": incident("i-1")})
            socket.receive_json()
        yield client


@SCHEMA.parametrize()
@settings(
    max_examples=12, deadline=None, derandomize=True, phases=(Phase.explicit, Phase.generate),
    suppress_health_check=list(HealthCheck),
)  # fmt: skip
def test_an_operation_answers_as_it_is_described(case: Any, fuzzed: Cloud) -> None:
    known = {"lift": "lift-1", "incident": "i-1", "gateway": "g-1", "code": "330117"}
    if next(NUMBERS) % 2:
        case.path_parameters = {name: known.get(name, value) for name, value in (case.path_parameters or {}).items()}
    wanted = case.as_transport_kwargs(base_url="http://testserver")
    answer = fuzzed.request(**wanted)
    fuzzed.cookies.clear()
    case.validate_response(answer, checks=CHECKS)


def bodies() -> Iterator[tuple[str, dict[str, Any]]]:
    """(operation, schema) of every JSON body that is sent to us; a body of several shapes is told by each of them."""
    schemas = DOCUMENT["components"]["schemas"]
    for path, operations in DOCUMENT["paths"].items():
        for method, operation in operations.items():
            schema = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
            if schema is not None:
                for found in schema.get("oneOf", [schema]):
                    name = found["$ref"].rsplit("/", 1)[1]
                    yield f"{method} {path}: {name}", schemas[name]


def test_every_body_that_is_sent_to_us_shows_how_it_looks() -> None:
    bare = [
        place
        for place, schema in bodies()
        if not schema.get("examples")
        and not all(
            "examples" in schema["properties"][name] or "const" in schema["properties"][name]
            for name in schema.get("required", [])
        )
    ]
    assert bare == []
    assert len(list(bodies())) > 15
