"""TypeScript's types of the API, from its OpenAPI description: values in, text out."""

import re
from typing import Any

_SIMPLE = {"string": "string", "integer": "number", "number": "number", "boolean": "boolean", "null": "null"}


def of(document: dict[str, Any]) -> str:
    """One exported type for each schema. What only answers hold has all of its fields: the server always writes them."""
    schemas: dict[str, Any] = document.get("components", {}).get("schemas", {})
    sent = _sent(document, schemas)
    return "\n".join(_declared(name, schemas[name], name in sent) for name in sorted(schemas))


def _sent(document: dict[str, Any], schemas: dict[str, Any]) -> set[str]:
    """Names of the schemas that requests hold."""
    bodies = [
        operation["requestBody"] for path in document["paths"].values() for operation in path.values()
        if isinstance(operation, dict) and "requestBody" in operation
    ]  # fmt: skip
    found: set[str] = set()
    waiting = [name for body in bodies for name in _references(body)]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += _references(schemas.get(name, {}))
    return found


def _references(schema: Any) -> list[str]:
    if isinstance(schema, list):
        return [name for part in schema for name in _references(part)]
    if not isinstance(schema, dict):
        return []
    own = [schema["$ref"].rsplit("/", 1)[1]] if isinstance(schema.get("$ref"), str) else []
    return own + [name for part in schema.values() for name in _references(part)]


def _name(name: str) -> str:
    return re.sub(r"\W", "_", name)


def _declared(name: str, schema: dict[str, Any], is_sent: bool) -> str:
    if schema.get("type") == "object" and "properties" in schema:
        return f"export interface {_name(name)} {_object(schema, is_sent)}"
    return f"export type {_name(name)} = {_type(schema, is_sent)};"


def _object(schema: dict[str, Any], is_sent: bool) -> str:
    required = set(schema.get("required", ())) if is_sent else set(schema["properties"])
    lines = [
        f"  {key if key.isidentifier() else repr(key)}{'' if key in required else '?'}: {_type(value, is_sent)};"
        for key, value in schema["properties"].items()
    ]
    return "\n".join(("{", *lines, "}"))


def _type(schema: dict[str, Any], is_sent: bool) -> str:
    kind = schema.get("type")
    joined = [(key, sign) for key, sign in (("anyOf", " | "), ("oneOf", " | "), ("allOf", " & ")) if key in schema]
    if "$ref" in schema:
        found = _name(schema["$ref"].rsplit("/", 1)[1])
    elif joined:
        key, sign = joined[0]
        found = sign.join(dict.fromkeys(_type(part, is_sent) for part in schema[key]))
    elif "const" in schema or "enum" in schema:
        values = schema.get("enum", [schema.get("const")])
        found = " | ".join(f'"{value}"' if isinstance(value, str) else str(value).lower() for value in values)
    elif isinstance(kind, list):
        found = " | ".join(_type({**schema, "type": one}, is_sent) for one in kind)
    elif kind == "array":
        found = _array(schema, is_sent)
    elif kind == "object" and "properties" in schema:
        found = _object(schema, is_sent)
    elif kind == "object":
        more = schema.get("additionalProperties", True)
        found = f"Record<string, {_type(more, is_sent) if isinstance(more, dict) else 'unknown'}>"
    else:
        found = _SIMPLE.get(str(kind), "unknown")
    return found


def _array(schema: dict[str, Any], is_sent: bool) -> str:
    if "prefixItems" in schema:
        return f"[{', '.join(_type(part, is_sent) for part in schema['prefixItems'])}]"
    item = _type(schema.get("items", {}), is_sent)
    return f"({item})[]" if " " in item else f"{item}[]"
