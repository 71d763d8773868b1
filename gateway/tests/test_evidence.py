"""The evidence file: made from a real journal, checked elsewhere, and broken in every place where one could change it."""

import copy
import json
import pathlib
from typing import Any

import pytest
from click.testing import CliRunner

from gateway import evidence as chain
from gateway import journal as jobs
from gateway.errors import EvidenceError
from gateway.evidence_cli import evidence
from gateway.journal import Journal
from gateway.tests.test_stores import ask, event
from protocols.modbus.rtu import STANDARD

FRAME = STANDARD.seal(bytes((1, 3, 2, 0, 7))).hex()


@pytest.fixture
def data_dir(tmp_path: pathlib.Path) -> pathlib.Path:
    journal = Journal(tmp_path / "journal.db")
    for rev, phase in ((1, "open"), (2, "closed")):
        ask(journal, jobs.store_revision({**event(rev=rev, phase=phase), "frames": [[0x1010, FRAME]]}))
        ask(journal, jobs.store_delivery("lift-1-1-1", rev, "city", 5, 9, 1, "receipted", "business_code 0"))
    journal.close()
    return tmp_path


def exported(data_dir: pathlib.Path) -> dict[str, Any]:
    document = chain.export(data_dir, "g", "lift-1-1-1", 1_790_000_000_000)
    again: dict[str, Any] = json.loads(json.dumps(document))
    return again


def test_the_chain_goes_from_frames_to_receipts_and_verifies_elsewhere(data_dir: pathlib.Path) -> None:
    document = exported(data_dir)
    assert [(step["what"], step["rev"]) for step in document["steps"]] == [
        ("frames", 1), ("revision", 1), ("commit", 1), ("frames", 2), ("revision", 2), ("commit", 2), ("receipt", 1), ("receipt", 2),
    ]  # fmt: skip
    assert chain.verify(document) == []
    assert chain.verify(document, document["head"]["public_key"]) == []
    assert "1 bus frames, 1 with a valid CRC-16" in chain.summary(document)


def _places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    if isinstance(value, dict):
        return [place for name, part in value.items() for place in _places(part, (*path, name))]
    if isinstance(value, list):
        return [place for index, part in enumerate(value) for place in _places(part, (*path, index))]
    return [path]


def test_a_change_at_any_place_is_found(data_dir: pathlib.Path) -> None:
    document = exported(data_dir)
    places = _places(document)
    assert len(places) > 80
    for place in places:
        broken = copy.deepcopy(document)
        part: Any = broken
        for key in place[:-1]:
            part = part[key]
        value = part[place[-1]]
        part[place[-1]] = value + 1 if isinstance(value, int) else "x" if value is None else value[1:] + "A"
        assert chain.verify(broken, document["head"]["public_key"]) != [], place


def test_a_step_left_out_moved_or_doubled_is_found(data_dir: pathlib.Path) -> None:
    document = exported(data_dir)
    for change in (
        lambda steps: steps[:-1],
        lambda steps: steps[1:],
        lambda steps: [steps[1], steps[0], *steps[2:]],
        lambda steps: [*steps, steps[-1]],
        lambda steps: [],
    ):
        broken = {**document, "steps": change(document["steps"])}
        assert chain.verify(broken) != []


def test_one_who_signs_anew_is_found_by_the_key_that_was_noted(data_dir: pathlib.Path, tmp_path: pathlib.Path) -> None:
    document = exported(data_dir)
    noted = document["head"]["public_key"]
    (data_dir / chain.KEY_FILE).unlink()
    forged = exported(data_dir)
    assert chain.verify(forged) == []
    assert chain.verify(forged, noted) == ["it is signed with another key than the one you trust"]


def test_steps_that_contradict_each_other_are_found_though_hashed_and_signed(data_dir: pathlib.Path) -> None:
    document = exported(data_dir)
    for number, name, value, words in (
        (2, "committed_ms", 1, "committed before"),
        (6, "receipted_ms", 1, "before it was sent"),
        (6, "rev", 7, "never committed"),
        (0, "sha256", "0" * 64, "bus frames"),
    ):
        broken = copy.deepcopy(document)
        broken["steps"][number][name] = value
        broken["hashes"] = chain.hashes(broken)
        assert any(words in text for text in chain.verify(broken)), words


def test_the_command_exports_verifies_and_says_what_is_wrong(data_dir: pathlib.Path, tmp_path: pathlib.Path) -> None:
    config = tmp_path / "gateway.toml"
    config.write_text(f'[gateway]\nid = "g"\ndata_dir = "{data_dir}"\n[broker]\nport = 1\n')
    out = tmp_path / "e.json"
    run = CliRunner()
    made = run.invoke(evidence, ["lift-1-1-1", "--config", str(config), "--out", str(out)])
    assert made.exit_code == 0, made.output
    key = run.invoke(evidence, ["--public-key", "--config", str(config)]).output.strip()
    good = run.invoke(evidence, ["--verify", str(out), "--key", key])
    assert good.exit_code == 0 and "the chain and the signature hold" in good.output
    out.write_text(out.read_text().replace("business_code 0", "business_code 1", 1))
    bad = run.invoke(evidence, ["--verify", str(out), "--key", key])
    assert bad.exit_code == 1 and "the chain breaks at step 7" in bad.output
    assert "no incident lift-9" in run.invoke(evidence, ["lift-9", "--config", str(config)]).output
    assert run.invoke(evidence, []).exit_code == 2
    assert (data_dir / chain.KEY_FILE).stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"head":{},"steps":[],"hashes":[],"signature":""}', "\x00\xff"])
def test_a_file_that_is_no_evidence_is_told_so(tmp_path: pathlib.Path, text: str) -> None:
    path = tmp_path / "x.json"
    path.write_text(text, encoding="latin-1")
    with pytest.raises(EvidenceError, match=r"x\.json"):
        chain.load(path)


def test_an_empty_or_broken_journal_is_told_so(tmp_path: pathlib.Path) -> None:
    with pytest.raises(EvidenceError, match="data_dir"):
        chain.export(tmp_path, "g", "a", 1)
