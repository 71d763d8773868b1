"""A notice in words: one set of facts, told short for SMS and in lines for the rest. Facts are data: none becomes markup."""

import re
from dataclasses import dataclass
from typing import Any

from cloud.notices.texts import CASE_KINDS, FACTS, MADE, OPEN, SHORT, TITLES, local, said

# Of a short text: five parts of an SMS in Chinese. The link is never cut.
MOST_SHORT = 330
_CONTROL = re.compile(r"[\x00-\x1f\x7f\u2028\u2029\u202a-\u202e\u2066-\u2069]+")
# Signs that either robot's Markdown gives a meaning to, each as its wide twin: there is no escape that both know.
_MARKUP = str.maketrans({sign: chr(ord(sign) + 0xFEE0) for sign in "<>[]()*_`#@!\\~|&"})
_PAGES = {"contractor": "/phone/", "rescue_centre": "/desk/", "platform": "/desk/"}


@dataclass(frozen=True)
class Message:
    """What one channel tells. `id` is that of the notice: the same in each attempt, so that a receiver can know a repeat."""

    id: str
    kind: str
    case: str
    lift: str
    severity: int
    made_at_ms: int
    language: str
    title: str
    lines: tuple[tuple[str, str], ...]
    short: str
    link: str
    facts: dict[str, Any]


def message(
    *, id: str, kind: str, case: str, lift: str, severity: int, made_at_ms: int, facts: dict[str, Any], language: str, link: str,
) -> Message:  # fmt: skip
    """The words of a notice in "en" or "zh"."""
    # An order to a unit that we cannot reach is the desk's to pass on.
    title = said(TITLES["case_ordered_call" if facts.get("task") == "call" else kind], language)
    about = CASE_KINDS.get(str(facts.get("case_kind", "")))
    if about is not None and kind.startswith("case_"):
        title = f"{said(about, language)}{' · ' if language == 'en' else '·'}{title}"
    told = {
        name: (said(label, language), one_line(how(facts[name], language)))
        for name, label, how in FACTS
        if facts.get(name) not in (None, "")
    }
    lines = (*told.values(), (said(MADE, language), local(made_at_ms)))
    short = _short(title, [told[name] for name in SHORT if name in told], language, link)
    return Message(id, kind, case, lift, severity, made_at_ms, language, title, lines, short, link, facts)


def _short(title: str, told: list[tuple[str, str]], language: str, link: str) -> str:
    colon, comma, end = (": ", ", ", ".") if language == "en" else ("：", "，", "。")
    text = title + (colon + comma.join(f"{label} {value}" for label, value in told) if told else "") + end
    if len(text) > MOST_SHORT:
        text = text[: MOST_SHORT - 1] + "…"
    return f"{text} {link}" if link else text


def one_line(text: str) -> str:
    """Without line breaks and other controls, those that turn the direction of writing among them."""
    return _CONTROL.sub(" ", text).strip()


def unmarked(text: str) -> str:
    """Text in which no robot's Markdown finds anything: neither a mark, nor a mention, nor an address to click at."""
    return one_line(text).translate(_MARKUP).replace("://", ":／／").replace("www.", "www．")


def markdown(found: Message, most_bytes: int) -> str:
    """The Markdown that both robots understand, no longer than that; what does not fit is left out from the end."""
    head = f"**{unmarked(found.title)}**"
    foot = f"[{said(OPEN, found.language)}]({found.link})" if found.link else ""
    lines = [f"> {unmarked(label)}：{unmarked(value)}" for label, value in found.lines]
    while lines and len("\n\n".join([head, *lines, foot]).encode()) > most_bytes:
        lines.pop()
    return "\n\n".join([head, *lines, foot]).strip()


def link_of(origin: str, organisation_kind: str, case: str, lift: str) -> str:
    """The page on which that organisation's people go on; empty where nobody knows how browsers reach us."""
    if not origin:
        return ""
    if case and organisation_kind in _PAGES:
        return f"{origin}{_PAGES[organisation_kind]}{case}"
    return f"{origin}/lift/{lift}" if lift else origin


def masked(number: str) -> str:
    """A telephone number or an e-mail address of which only its owner knows what is missing."""
    name, at, host = number.partition("@")
    if at:
        return f"{name[:1]}***@{host}"
    return f"{number[:3]}****{number[-2:]}" if len(number) > 6 else "****"
