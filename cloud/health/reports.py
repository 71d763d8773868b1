"""The newest health of each lift as its gateway told it, in memory: it is told again after every connect. Words are added when it is read."""

from typing import Any

from cloud.health.schemas import Health, HealthPart, HealthUsage, Level, Limits, ToldHealth, ToldPart, ToldReason
from cloud.live.board import Board
from cloud.live.schemas import Bilingual
from protocols import health, health_texts
from protocols.texts import FIELD_TEXTS

UNITS = dict(health.USAGE)


class HealthReports:
    """Takes what gateways tell of lifts that are theirs."""

    def __init__(self, board: Board) -> None:
        self._board = board
        # As text: a tenth of what the objects take.
        self._held: dict[str, str] = {}

    def take(self, gateway: str, found: list[Any]) -> None:
        """Keep the reports; ValueError if one is none. Those of lifts of another gateway are left out."""
        for entry in [ToldHealth.model_validate(each) for each in found]:
            lift = self._board.lifts.get(entry.lift)
            if lift is not None and lift["gateway"] == gateway:
                self._held[entry.lift] = entry.model_dump_json()

    def of(self, lift: str) -> Health | None:
        """The newest one with its words; None if none was told."""
        held = self._held.get(lift)
        return None if held is None else _worded(ToldHealth.model_validate_json(held))


def _worded(told: ToldHealth) -> Health:
    return Health(
        lift=told.lift, at_ms=told.at_ms, date=told.date, days=told.days, first=told.first, score=told.score,
        level=level(told.score), known=told.known, lowest=told.lowest, reason=reason(told.reason),
        parts=[_part(part) for part in told.parts if part.name in health.BY_NAME],
        usage=[
            HealthUsage(
                title=both(*health_texts.USAGE[used.name]), unit=UNITS[used.name], **used.model_dump(exclude={"trend"}), trend=used.trend
            )
            for used in told.usage
            if used.name in UNITS
        ],
        today=told.today,
    )  # fmt: skip


def _part(told: ToldPart) -> HealthPart:
    row = health.BY_NAME[told.name]
    title_en, title_zh, meaning_en, meaning_zh, action_en, action_zh = health_texts.PARTS[told.name]
    return HealthPart(
        name=told.name, title=both(title_en, title_zh), meaning=both(meaning_en, meaning_zh), action=both(action_en, action_zh),
        unit=row.unit, weight=row.weight,
        limits=Limits(good=row.good, bad=row.bad, quick=row.quick, good_ratio=row.ratio, bad_ratio=row.ratio_bad),
        value=told.value, mark=told.mark, level=level(told.mark), reason=reason(told.reason), baseline=told.baseline,
        baseline_days=told.baseline_days, trend=told.trend, spread=told.spread, count=told.count,
        of=both(*health_texts.OCCASIONS[row.of]), days=told.days,
    )  # fmt: skip


def level(mark: int | None) -> Level | None:
    """In a word what a mark says."""
    if mark is None:
        return None
    return "good" if mark >= health.MARK_GOOD else "watch" if mark >= health.MARK_ACT else "act"


def reason(told: ToldReason | None) -> Bilingual | None:
    """The reason in words; one that this version does not know is shown by its name."""
    if told is None:
        return None
    words = health_texts.REASONS.get(told.key, (told.key, told.key))
    # "starts" is a field, and what some parts are counted over.
    names = health_texts.OCCASIONS if told.key == "few" else FIELD_TEXTS
    values = {"have": f"{told.have:g}", "need": f"{told.need:g}", "step": told.step}
    return both(
        *(
            text.format(fields=", ".join(names.get(field, (field, field))[at] for field in told.fields), **values)
            for at, text in enumerate(words)
        )
    )


def both(en: str, zh: str) -> Bilingual:
    """A text in both languages."""
    return Bilingual(en=en, zh=zh)
