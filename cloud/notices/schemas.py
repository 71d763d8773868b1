"""Shapes of channels and receipts in the API. A secret goes in and never comes out, neither does what stands behind ? in a URL."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from cloud.accounts.roles import Role
from cloud.accounts.schemas import Body, Language, Name, example
from cloud.notices.models import NoticeChannel, NoticeRow
from cloud.notices.service import NoticeKind

ChannelKind = Literal["sms_hook", "wecom", "dingtalk", "smtp", "webhook"]
Url = Annotated[
    str, Field(min_length=8, max_length=500, pattern=r"^https?://[^\s]+$", examples=["https://hooks.example/lift"])
]
Mail = Annotated[str, Field(max_length=120, pattern=r"^[^\s@<>,;\"]+@[A-Za-z0-9.-]+$", examples=["duty@example.com"])]
Secret = Annotated[str, Field(max_length=400, description="goes in and never comes out; left out = it stays")]
Severity = Annotated[int, Field(ge=1, le=4, description="4 = people trapped, 1 = a notice")]


class UrlSettings(Body):
    """Of wecom, dingtalk and webhook: the robot's or the program's URL."""

    url: Url


class SmsSettings(UrlSettings):
    """Whose telephones ring: active people of the organisation with one of these roles."""

    roles: Annotated[list[Role], Field(min_length=1, max_length=6)]


class MailSettings(Body):
    """The mail server, always under TLS, and who gets the mail. The password is the channel's secret."""

    host: Annotated[str, Field(pattern=r"^[A-Za-z0-9.:-]{1,200}$", examples=["smtp.example"])]
    port: Annotated[int, Field(ge=1, le=65535)] = 465
    security: Literal["tls", "starttls"] = "tls"
    username: Annotated[str, Field(max_length=120)] = ""
    sender: Mail
    recipients: Annotated[list[Mail], Field(min_length=1, max_length=50)]


Settings = SmsSettings | MailSettings | UrlSettings
SETTINGS: dict[str, type[Body]] = {
    "sms_hook": SmsSettings, "wecom": UrlSettings, "dingtalk": UrlSettings, "smtp": MailSettings, "webhook": UrlSettings,
}  # fmt: skip


class Counts(BaseModel):
    """Notices of a channel by what became of them, of those that are still kept."""

    waiting: int
    sent: int
    dead: int


class Channel(BaseModel):
    """A way to tell an organisation. `failures`: attempts in a row that failed; it is asked again after `pause_until_ms`."""

    id: str
    organisation: str
    organisation_name: str
    kind: ChannelKind
    name: str
    language: Language
    least_severity: Severity
    kinds: list[NoticeKind]
    active: bool
    settings: dict[str, Any]
    has_secret: bool
    failures: int
    pause_until_ms: int
    made_at_ms: int
    changed_at_ms: int
    counts: Counts

    @classmethod
    def of(cls, row: NoticeChannel, counts: dict[str, int]) -> "Channel":
        """From its row, without what is secret."""
        names = (
            "id", "organisation", "kind", "name", "language", "least_severity", "kinds", "active", "failures", "pause_until_ms",
            "made_at_ms", "changed_at_ms",
        )  # fmt: skip
        return cls.model_validate(
            {
                **{name: getattr(row, name) for name in names}, "organisation_name": row.of.name, "settings": shown(row.settings),
                "has_secret": bool(row.secret), "counts": {name: counts.get(name, 0) for name in Counts.model_fields},
            }
        )  # fmt: skip


class ChannelMade(Channel):
    """A new channel. `secret`: the key with which its webhook is signed, if we made it; shown now and never again."""

    secret: str | None


class ChannelCreate(Body):
    """A new channel. A webhook without a secret gets one."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "organisation": "6b1c0f5e9a2d4477", "kind": "dingtalk", "name": "抢修群",
                    "settings": {"url": "https://oapi.dingtalk.com/robot/send?access_token=…"}, "secret": "SEC…", "least_severity": 3,
                }
            ]
        }
    )  # fmt: skip

    organisation: Annotated[str, Field(max_length=16)]
    kind: ChannelKind
    name: Name
    language: Language = "zh"
    least_severity: Severity = 2
    kinds: Annotated[list[NoticeKind], Field(max_length=20, default_factory=list, description="empty = all kinds")]
    active: bool = True
    settings: Settings
    secret: Secret = ""


class ChannelChange(Body):
    """What is left out stays; `settings` are given whole."""

    model_config = example(least_severity=3, active=True)

    name: Name | None = None
    language: Language | None = None
    least_severity: Severity | None = None
    kinds: Annotated[list[NoticeKind], Field(max_length=20)] | None = None
    active: bool | None = None
    settings: Settings | None = None
    secret: Secret | None = None


class Receipt(BaseModel):
    """One notice on one channel. `to` masks telephone numbers and addresses; `code` and `message_id` are the receiver's own."""

    id: str
    kind: NoticeKind
    case: str
    lift: str
    organisation: str
    organisation_name: str
    channel_kind: ChannelKind
    severity: int
    state: Literal["waiting", "sent", "dead"]
    attempts: int
    made_at_ms: int
    next_at_ms: int | None
    done_at_ms: int | None
    code: str
    detail: str
    message_id: str
    to: list[str]

    @classmethod
    def of(cls, row: NoticeRow, channel: NoticeChannel, *, own: bool = True) -> "Receipt":
        """From its row and its channel; the receiver's own words are for who manages that alone."""
        names = (
            "id",
            "kind",
            "case",
            "lift",
            "organisation",
            "severity",
            "state",
            "attempts",
            "made_at_ms",
            "done_at_ms",
        )
        told = row.receipt
        return cls.model_validate(
            {
                **{name: getattr(row, name) for name in names}, "organisation_name": channel.of.name, "channel_kind": channel.kind,
                "next_at_ms": row.next_at_ms if row.state == "waiting" else None, "code": told.get("code", ""),
                "detail": told.get("detail", "") if own else "", "message_id": told.get("message_id", ""), "to": told.get("to", []),
            }
        )  # fmt: skip


def shown(settings: dict[str, Any]) -> dict[str, Any]:
    """Settings as they may be seen: of a URL what lets one recognise it, since keys stand behind its ? and in its path."""
    return {name: shown_url(value) if name == "url" else value for name, value in settings.items()}


def shown_url(url: str) -> str:
    """Scheme, host and the path's beginning."""
    scheme, _, rest = url.partition("://")
    host, _, more = rest.partition("?")[0].partition("/")
    return f"{scheme}://{host}/{more[:8] + '…' if more else ''}"
