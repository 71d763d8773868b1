"""Types of the page made from a description of the API."""

from typing import Any

import pytest

from cloud.web import typescript

STRING = {"type": "string"}


def described(schema: dict[str, Any], *, sent: bool = False) -> str:
    body = {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Thing"}}}}
    paths: dict[str, Any] = {"/things": {"post": {"requestBody": body} if sent else {}}}
    return typescript.of({"paths": paths, "components": {"schemas": {"Thing": schema}}})


@pytest.mark.parametrize(
    ("schema", "written"),
    [
        ({"enum": ["a", "b"]}, '"a" | "b"'),
        ({"const": 4}, "4"),
        ({"anyOf": [STRING, {"type": "null"}]}, "string | null"),
        ({"type": ["integer", "null"]}, "number | null"),
        ({"type": "array", "items": {"anyOf": [STRING, {"type": "boolean"}]}}, "(string | boolean)[]"),
        ({"type": "array", "prefixItems": [{"type": "integer"}, STRING]}, "[number, string]"),
        ({"type": "object", "additionalProperties": {"type": "number"}}, "Record<string, number>"),
        ({"$ref": "#/components/schemas/Other"}, "Other"),
        ({}, "unknown"),
    ],
)
def test_each_kind_of_schema_has_its_type(schema: dict[str, Any], written: str) -> None:
    assert described(schema) == f"export type Thing = {written};"


def test_a_field_with_a_default_is_always_in_an_answer_and_may_be_left_out_of_a_request() -> None:
    schema = {"type": "object", "properties": {"id": STRING, "note": STRING}, "required": ["id"]}
    assert "note: string;" in described(schema)
    assert "note?: string;" in described(schema, sent=True) and "id: string;" in described(schema, sent=True)
