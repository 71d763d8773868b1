"""The evidence of one incident: bus frames, revisions, commits and receipts, each hashed over the one before, signed at the end.

It reads a journal and never changes it. Who wants to check a file needs only that file and the gateway's public key.
"""

import base64
import contextlib
import hashlib
import itertools
import json
import pathlib
import sqlite3
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from gateway.errors import EvidenceError
from gateway.journal_rows import area_of
from protocols.modbus.rtu import STANDARD

FORMAT = 1
KEY_FILE = "evidence.key"
# A lift's incident has a handful of revisions, an area's of a day some hundred with 110 kB of members each; a file beyond this
# is none of ours.
MAX_FILE_BYTES = 64_000_000
STAGES = ("onset", "detected", "published", "received")


def canonical(value: Any) -> bytes:
    """The one way in which a value is hashed: JSON with sorted names, no spaces, UTF-8."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def hashes(document: dict[str, Any]) -> list[str]:
    """SHA-256 (hex) of the head and then of each step together with the hash before it: no step can be left out or moved."""
    out = [hashlib.sha256(canonical(document["head"])).hexdigest()]
    for step in document["steps"]:
        out.append(hashlib.sha256(out[-1].encode() + canonical(step)).hexdigest())
    return out


# -- keys ---------------------------------------------------------------------------------------------------------


def signing_key(data_dir: pathlib.Path) -> Ed25519PrivateKey:
    """The gateway's own key, made at the first use and readable by nobody else; EvidenceError if the file is no key."""
    path = data_dir / KEY_FILE
    if not path.exists():
        made = Ed25519PrivateKey.generate()
        pem = made.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        path.touch(mode=0o600)
        path.write_bytes(pem)
    try:
        key = serialization.load_pem_private_key(path.read_bytes(), None)
    except ValueError as error:
        raise EvidenceError(f"{path} is no private key; restore it from the backup, or move it away") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise EvidenceError(f"{path} is no Ed25519 key; move it away and a new one is made")
    return key


def public_text(key: Ed25519PublicKey) -> str:
    """The public key as one line of base64: what the supervisor writes down when the gateway is commissioned."""
    raw = key.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    return base64.b64encode(raw).decode()


# -- export -------------------------------------------------------------------------------------------------------


def steps_of(database: sqlite3.Connection, name: str) -> list[dict[str, Any]]:
    """What happened to incident `name`, in order: frames, revision and commit of each rev, then all receipts and the area that it is of."""
    steps: list[dict[str, Any]] = []
    revisions = database.execute(
        "SELECT rev, body, received_ms, committed_ms FROM revision WHERE id = ? ORDER BY rev", (name,)
    ).fetchall()
    for rev, body, received_ms, committed_ms in revisions:
        event = json.loads(body)
        frames = event.pop("frames", [])
        joined = b"".join(bytes.fromhex(frame) for _, frame in frames)
        steps.append({"what": "frames", "rev": rev, "frames": frames, "sha256": hashlib.sha256(joined).hexdigest()})
        steps.append({"what": "revision", "rev": rev, "event": event})
        steps.append({"what": "commit", "rev": rev, "received_ms": received_ms, "committed_ms": committed_ms})
    receipts = database.execute(
        "SELECT rev, destination, sent_ms, receipted_ms, attempts, state, detail FROM delivery WHERE id = ? "
        "ORDER BY rev, destination",
        (name,),
    ).fetchall()
    columns = ("rev", "destination", "sent_ms", "receipted_ms", "attempts", "state", "detail")
    steps += [{"what": "receipt", **dict(zip(columns, row, strict=True))} for row in receipts]
    area = area_of(database, name)
    if area is not None:
        steps.append({"what": "area", "rev": revisions[-1][0], "area": area})
    return steps


def export(data_dir: pathlib.Path, gateway: str, name: str, exported_at_ms: int) -> dict[str, Any]:
    """The signed document of incident `name`; EvidenceError if the journal does not know it."""
    path = data_dir / "journal.db"
    try:
        # Read-only: the gateway may be running beside us.
        with contextlib.closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as database:
            steps = steps_of(database, name)
    except sqlite3.Error as error:
        raise EvidenceError(f"{path} cannot be read: {error}; is data_dir right?") from error
    if not steps:
        raise EvidenceError(f"the journal in {data_dir} has no incident {name}; see the ids in the list of incidents")
    key = signing_key(data_dir)
    document: dict[str, Any] = {
        "head": {
            "liftwatch_evidence": FORMAT, "incident": name, "gateway": gateway, "exported_at_ms": exported_at_ms,
            "public_key": public_text(key.public_key()),
        },
        "steps": steps,
    }  # fmt: skip
    document["hashes"] = hashes(document)
    document["signature"] = base64.b64encode(key.sign(document["hashes"][-1].encode())).decode()
    return document


# -- verification -------------------------------------------------------------------------------------------------


def load(path: pathlib.Path) -> dict[str, Any]:
    """The document in the file at `path`; EvidenceError if it cannot be one."""
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise EvidenceError(f"{path} has more than {MAX_FILE_BYTES} bytes: it is no evidence of ours")
        document = json.loads(path.read_bytes())
    except OSError as error:
        raise EvidenceError(f"{path} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise EvidenceError(f"{path} is no JSON; ask for the file again") from error
    parts = {"head": dict, "steps": list, "hashes": list, "signature": str}
    if not isinstance(document, dict) or not all(isinstance(document.get(k), kind) for k, kind in parts.items()):
        raise EvidenceError(f"{path} is no evidence: head, steps, hashes and signature are needed")
    if document["head"].get("liftwatch_evidence") != FORMAT:
        raise EvidenceError(f"{path} is of another format; this version reads {FORMAT}")
    return document


def verify(document: dict[str, Any], trusted_key: str | None = None) -> list[str]:
    """What is wrong with a loaded document, in words; an empty list if it holds. `trusted_key` as `public_text` gives it."""
    found = []
    head = document["head"]
    try:
        expected = hashes(document)
    except (KeyError, TypeError, ValueError) as error:
        return [f"a step cannot be read: {error}"]
    if document["hashes"] != expected:
        at = next(
            (i for i, (a, b) in enumerate(zip(document["hashes"], expected, strict=False)) if a != b), len(expected)
        )
        found.append(f"the chain breaks at {'the head' if at == 0 else f'step {at}'}: something was changed there")
    if trusted_key is not None and head.get("public_key") != trusted_key.strip():
        found.append("it is signed with another key than the one you trust")
    try:
        key = Ed25519PublicKey.from_public_bytes(base64.b64decode(str(head.get("public_key")), validate=True))
        key.verify(base64.b64decode(document["signature"], validate=True), expected[-1].encode())
    except (InvalidSignature, ValueError):
        found.append("the signature does not hold")
    try:
        found += _contradictions(document)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        found.append(f"a step lacks what it should have: {error!r}")
    return found


def _contradictions(document: dict[str, Any]) -> list[str]:
    """What the steps say against each other, even where all hashes hold."""
    found = []
    name = document["head"]["incident"]
    committed: set[int] = set()
    for step in document["steps"]:
        rev = step["rev"]
        if step["what"] == "frames":
            joined = b"".join(bytes.fromhex(frame) for _, frame in step["frames"])
            if hashlib.sha256(joined).hexdigest() != step["sha256"]:
                found.append(f"rev {rev}: the hash of its bus frames is another")
        elif step["what"] == "revision":
            event = step["event"]
            if (event["id"], event["rev"]) != (name, rev):
                found.append(f"rev {rev}: the event is {event['id']} rev {event['rev']}")
            times = [{**event["stages"], "received": event["received"]}[stage] for stage in STAGES]
            told = [time for time in times if time is not None]
            # The stages of the node are mapped to the gateway's clock, with the error that is stated.
            slack_ms = event["offset_err_ms"] or 0
            if any(later + slack_ms < earlier for earlier, later in itertools.pairwise(told)):
                found.append(f"rev {rev}: its stages are out of order")
        elif step["what"] == "commit":
            committed.add(rev)
            if step["committed_ms"] < step["received_ms"]:
                found.append(f"rev {rev}: committed before it was received")
        elif step["what"] == "receipt":
            if rev not in committed:
                found.append(f"{step['destination']}: a receipt for rev {rev}, which was never committed")
            if (
                step["receipted_ms"] is not None
                and step["sent_ms"] is not None
                and step["receipted_ms"] < step["sent_ms"]
            ):
                found.append(f"{step['destination']}: rev {rev} receipted before it was sent")
    return found


def _line(step: dict[str, Any]) -> str:
    if step["what"] == "frames":
        # Told, not judged: an OEM's check value depends on a seed that the file does not have.
        whole = sum(STANDARD.is_sealed(bytes.fromhex(frame)) for _, frame in step["frames"])
        return f"{len(step['frames'])} bus frames, {whole} with a valid CRC-16, sha256 {step['sha256'][:16]}…"
    if step["what"] == "revision":
        return f"{step['event']['kind']} {step['event']['phase']}"
    if step["what"] == "commit":
        return f"committed {step['committed_ms']}"
    if step["what"] == "area":
        return f"of the area event {step['area']}"
    return f"{step['destination']}: {step['state']} {step['receipted_ms']} ({step['detail']})"


def summary(document: dict[str, Any]) -> str:
    """The chain in a few lines, for the one who verifies."""
    lines = [f"incident {document['head']['incident']} of gateway {document['head']['gateway']}"]
    for step, digest in zip(document["steps"], document["hashes"][1:], strict=False):
        lines.append(f"  rev {step['rev']}  {_line(step)}  [{digest[:12]}]")
    return "\n".join(lines)
