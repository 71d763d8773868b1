"""Each way of telling against receivers in bad moods, what their answers mean, and where nothing is ever sent."""

import base64
import dataclasses
import hashlib
import hmac
import ipaddress
import json
import pathlib
import socket
import ssl
import urllib.parse
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cloud.notices import outward as way_out
from cloud.notices.adapters import hooks, mail, robots
from cloud.notices.adapters.hooks import signature
from cloud.notices.message import Message, link_of, markdown, masked, message, unmarked
from cloud.notices.outcome import MOST_ATTEMPTS, Again, Failed, Never, Outcome, Sent
from cloud.notices.outward import Forbidden, Outward, Unreached, is_public
from cloud.notices.service import KINDS
from cloud.notices.texts import CASE_KINDS, CAUSES, CODES, FACTS, LEVELS, OUTCOMES, REASONS, TITLES
from cloud.tests.receivers import CUT, HANGS, SLOW, answer, certificate, mailing, receiving

NOW = 1_790_000_000_000
OK = answer({"errcode": 0, "errmsg": "ok"})
SENDERS = {"wecom": robots.wecom, "dingtalk": robots.dingtalk, "webhook": hooks.webhook}


def told(language: str = "zh", kind: str = "case_opened", **facts: Any) -> Message:
    known = {
        "rescue_code": "330117",
        "place": "西溪路 1 号",
        "case_kind": "trapped",
        "event": "trapped_between_floors",
        **facts,
    }
    return message(
        id="n1", kind=kind, case="c-1", lift="lift-1", severity=4, made_at_ms=NOW, facts=known, language=language,
        link="https://x.example/desk/c-1",
    )  # fmt: skip


async def send(kind: str, *says: bytes, secret: str = "s3cret") -> tuple[Outcome, Any]:
    async with receiving(*says) as receiver:
        outward = Outward((f"127.0.0.1:{receiver.port}",))
        try:
            outcome = await SENDERS[kind](outward, {"url": receiver.url}, secret, told(), NOW)
        except Unreached as error:
            outcome = Again(error.code, error.detail)
        finally:
            await outward.close()
    return outcome, receiver.requests


MOODS = [
    ("nothing", HANGS, "timeout"),
    ("slow", SLOW, "timeout"),
    ("cut", CUT, "cut"),
    ("closed", b"\r\n", "cut"),
    ("no HTTP", b"SSH-2.0-x\r\n\r\n", "cut"),
    ("500", answer(b"oops", "500 Internal Server Error"), "500"),
    ("404", answer(b"", "404 Not Found"), "404"),
    ("elsewhere", answer(b"", "302 Found", "location: http://127.0.0.1:22/"), "302"),
]


@pytest.mark.parametrize("kind", SENDERS)
@pytest.mark.parametrize(("says", "code"), [mood[1:] for mood in MOODS], ids=[mood[0] for mood in MOODS])
async def test_a_receiver_in_a_bad_mood_is_asked_again(
    kind: str, says: bytes, code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(way_out, "SEND_S", 0.3)
    outcome, requests = await send(kind, says)
    assert isinstance(outcome, Again) and outcome.code == code
    assert len(requests) == 1


@pytest.mark.parametrize("kind", ["wecom", "dingtalk"])
@pytest.mark.parametrize(
    "body",
    [b"", b"ok", b"[]", b"{}", b"null", b'{"errcode": "0"}', b'{"errcode": true}', b"\xff\xfe", b'{"errcode": 0, "x": "' + b"y" * 20_000],
)  # fmt: skip
async def test_a_robot_that_says_200_and_no_errcode_has_not_taken_it(kind: str, body: bytes) -> None:
    outcome, _ = await send(kind, answer(body))
    assert isinstance(outcome, Again) and outcome.code == "no_errcode"


@pytest.mark.parametrize(
    ("kind", "code", "wanted"),
    [
        ("wecom", 0, Sent),
        ("wecom", 45009, Again),
        ("wecom", 93000, Never),
        ("wecom", 99999, Again),
        ("dingtalk", 0, Sent),
        ("dingtalk", 130101, Again),
        ("dingtalk", 410100, Again),
        ("dingtalk", 310000, Again),
        ("dingtalk", 300005, Never),
    ],
)
async def test_what_a_robots_errcode_means(kind: str, code: int, wanted: type[Outcome]) -> None:
    outcome, _ = await send(kind, answer({"errcode": code, "errmsg": "said"}))
    assert isinstance(outcome, wanted) and outcome.code == str(code)
    if code in (45009, 130101, 410100):
        assert isinstance(outcome, Again) and outcome.after_ms == 60_000


async def test_too_many_requests_says_when_again() -> None:
    outcome, _ = await send("webhook", answer(b"", "429 Too Many Requests", "retry-after: 7"))
    assert outcome == Again("429", "", 7000)
    outcome, _ = await send("webhook", answer(b"", "429 Too Many Requests"))
    assert outcome == Again("429", "", 60_000)


async def test_a_robot_of_dingtalk_gets_timestamp_and_signature_in_its_url() -> None:
    _, (request,) = await send("dingtalk", OK, secret="SECx")
    query = urllib.parse.parse_qs(request.line.split(" ")[1].partition("?")[2])
    wanted = base64.b64encode(hmac.new(b"SECx", f"{NOW}\nSECx".encode(), hashlib.sha256).digest()).decode()
    assert query == {"key": ["k"], "timestamp": [str(NOW)], "sign": [wanted]}
    assert request.json()["markdown"]["title"] == "困人·新警情"


async def test_a_robot_without_a_secret_gets_the_url_as_it_is() -> None:
    for kind in ("dingtalk", "wecom"):
        _, (request,) = await send(kind, OK, secret="")
        assert request.line.split(" ")[1] == "/hook?key=k"
        assert request.json()["msgtype"] == "markdown"


async def test_a_webhook_is_signed_over_its_timestamp_and_body() -> None:
    outcome, (request,) = await send("webhook", answer({"id": 17}))
    assert outcome == Sent("200", "17")
    assert request.headers["liftwatch-id"] == request.json()["id"] == "n1"
    assert request.headers["liftwatch-signature"] == signature(
        "s3cret", int(request.headers["liftwatch-timestamp"]), request.body
    )
    assert request.json()["facts"]["rescue_code"] == "330117"
    assert "s3cret" not in str(request)


async def test_an_sms_hook_gets_the_numbers_and_a_receipt_shows_them_masked() -> None:
    async with receiving(answer(b"taken", "202 Accepted")) as receiver:
        outward = Outward(("127.0.0.1",))
        outcome = await hooks.sms(outward, {"url": receiver.url}, "t", told(), NOW, ("13800138000", "13900139000"))
        await outward.close()
    assert outcome == Sent("202", to=("138****00", "139****00"))
    (request,) = receiver.requests
    assert request.json()["to"] == ["13800138000", "13900139000"]
    assert request.json()["text"] == told().short
    assert request.headers["authorization"] == "Bearer t"


# -- where nothing is sent ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url",
    [
        "https://127.0.0.1/", "https://localhost/", "https://10.0.0.1/", "https://192.168.1.1:8443/", "https://169.254.169.254/latest/",
        "https://100.64.0.1/", "https://[::1]/", "https://[fe80::1]/", "https://[fd00::1]/", "https://[::ffff:127.0.0.1]/",
        "https://[64:ff9b::7f00:1]/", "https://0.0.0.0/", "https://224.0.0.1/", "https://255.255.255.255/", "https://127.1/",
        "https://2130706433/", "http://1.1.1.1/", "ftp://x.example/", "https://", "https://a:b@x.example/", "file:///etc/passwd",
    ],
)  # fmt: skip
async def test_nothing_is_sent_into_our_own_network_nor_without_tls(url: str) -> None:
    outward = Outward()
    with pytest.raises(Forbidden):
        await outward.post(url, {}, b"x")
    await outward.close()


@given(st.ip_addresses(v=4))
def test_an_address_of_version_4_is_judged_the_same_however_version_6_wraps_it(address: ipaddress.IPv4Address) -> None:
    number = int(address)
    wrapped = [f"::ffff:{address}", str(ipaddress.IPv6Address((0x64FF9B << 96) + number))]
    if not is_public(address):
        assert not any(is_public(ipaddress.ip_address(text)) for text in wrapped)


async def test_a_host_that_the_operator_names_is_sent_to_at_that_port_alone() -> None:
    async with receiving(answer()) as receiver, receiving(answer()) as other:
        outward = Outward((f"127.0.0.1:{receiver.port}",))
        assert (await outward.post(receiver.url, {}, b"x")).status == 200
        with pytest.raises(Forbidden):
            await outward.post(other.url, {}, b"x")
        await outward.close()
    assert other.requests == []


async def test_what_a_name_resolves_to_is_what_is_dialled(
    monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path
) -> None:
    """A name server that says a public address first and ours at the second question is asked once."""
    asked = []

    def resolve(host: str, port: int, **more: Any) -> Any:
        asked.append(host)
        return [(2, 1, 6, "", ("127.0.0.1", port))]

    async with receiving(answer()) as receiver:
        monkeypatch.setattr(socket, "getaddrinfo", resolve)
        outward = Outward((f"hook.example:{receiver.port}",))
        await outward.post(f"http://hook.example:{receiver.port}/", {}, b"x")
        await outward.close()
    assert asked == ["hook.example"]
    assert receiver.requests[0].headers["host"] == f"hook.example:{receiver.port}"


async def test_nobody_there_and_no_such_host() -> None:
    outward = Outward(("127.0.0.1", "nowhere.invalid"))
    with pytest.raises(Unreached, match="no_connection"):
        await outward.post("http://127.0.0.1:9/", {}, b"x")
    with pytest.raises(Unreached, match="no_such_host"):
        await outward.post("http://nowhere.invalid/", {}, b"x")
    await outward.close()


# -- mail ---------------------------------------------------------------------------------------------------------------


async def post(folder: pathlib.Path, security: str, replies: dict[str, str], **settings: Any) -> tuple[Outcome, Any]:
    async with mailing(folder, security, replies) as server:
        trusting = ssl.create_default_context(cafile=str(certificate(folder)))
        outward = Outward(("127.0.0.1",), trusting)
        known = {
            "host": "127.0.0.1", "port": server.port, "security": security, "username": "lift", "sender": "lift@x.example",
            "recipients": ["duty@x.example", "boss@x.example"], **settings,
        }  # fmt: skip
        try:
            outcome = await mail.smtp(outward, known, "pw", told(), NOW)
        except Unreached as error:
            outcome = Again(error.code)
        finally:
            await outward.close()
    return outcome, server


@pytest.mark.parametrize("security", ["tls", "starttls"])
async def test_a_mail_goes_under_tls_to_all_recipients(security: str, tmp_path: pathlib.Path) -> None:
    outcome, server = await post(tmp_path, security, {})
    assert isinstance(outcome, Sent) and outcome.code == "250"
    assert outcome.to == ("d***@x.example", "b***@x.example")
    assert "4711" in outcome.detail
    ((to, text),) = server.mails
    assert to == ["duty@x.example", "boss@x.example"]
    assert "Message-ID: <n1@notices.liftwatch>" in text
    assert len(server.signed_in) == 1


@pytest.mark.parametrize(
    ("security", "replies", "wanted"),
    [
        ("starttls", {"EHLO": "250 here"}, Again("cut")),  # it offers no STARTTLS: nothing is said in the clear
        ("starttls", {"STARTTLS": "454 not now"}, Again("454")),
        ("tls", {"AUTH": "535 wrong"}, Never("535")),
        ("tls", {"RCPT": "550 no such user"}, Never("550")),
        ("tls", {"RCPT": "451 later"}, Again("451")),
        ("tls", {"DATA": "451 later"}, Again("451")),
        ("tls", {"MAIL": "CUT"}, Again("cut")),
    ],
)
async def test_a_mail_server_that_refuses(
    security: str, replies: dict[str, str], wanted: Outcome, tmp_path: pathlib.Path
) -> None:
    outcome, server = await post(tmp_path, security, replies)
    assert dataclasses.replace(outcome, detail="") == wanted
    assert server.mails == []
    assert security == "tls" or server.signed_in == []


async def test_a_recipient_that_is_refused_is_told_and_the_others_get_the_mail(tmp_path: pathlib.Path) -> None:
    outcome, server = await post(tmp_path, "tls", {"RCPT TO:<boss@x.example>": "550 gone"})
    assert isinstance(outcome, Sent) and outcome.to == ("d***@x.example",)
    assert "b***@x.example" in outcome.detail
    assert len(server.mails) == 1


async def test_a_server_with_a_certificate_of_its_own_making_gets_nothing(tmp_path: pathlib.Path) -> None:
    async with mailing(tmp_path, "tls", {}) as server:
        outward = Outward(("127.0.0.1",))
        settings = {
            "host": "127.0.0.1", "port": server.port, "security": "tls", "username": "", "sender": "a@b.c", "recipients": ["d@e.f"],
        }  # fmt: skip
        with pytest.raises(Unreached):
            await mail.smtp(outward, settings, "", told(), NOW)
        await outward.close()
    assert server.mails == []


# -- words --------------------------------------------------------------------------------------------------------------


def test_every_kind_has_its_words_in_both_languages() -> None:
    assert set(TITLES) == {*KINDS, "case_ordered_call"}
    tables: list[Any] = [
        TITLES.values(),
        CASE_KINDS.values(),
        LEVELS.values(),
        OUTCOMES.values(),
        CAUSES.values(),
        REASONS.values(),
        CODES.values(),
        (entry[1] for entry in FACTS),
    ]
    for english, chinese in (pair for table in tables for pair in table):
        assert english and chinese and english != chinese


def test_the_short_text_says_code_place_what_since_when_and_the_link() -> None:
    assert told(persons=2, since_ms=NOW, level=1).short == (
        "困人·新警情：救援识别码 330117，地址 西溪路 1 号，事件 非平层困人，被困人数 2 人，发生时间 09-21 22:13:20 +08:00，"
        "救援级别 一级（维保单位）。 https://x.example/desk/c-1"
    )
    assert told("en", persons=2).short == (
        "TRAPPED · New case: Rescue code 330117, Place 西溪路 1 号, What Trapped between floors, People inside 2. "
        "https://x.example/desk/c-1"
    )


def test_an_order_to_a_unit_that_nobody_can_reach_asks_the_desk_to_telephone() -> None:
    assert told(kind="case_ordered", level=3, task="call").title == "困人·请电话通知并登记"
    assert told("en", kind="case_ordered", level=1).title == "TRAPPED · Please go there"
    lines = dict(told("en", kind="case_escalated", why="not_arrived", outcome="self_released", cause="power_cut").lines)
    assert (lines["Why"], lines["Cause"]) == ("not on site in time", "Power cut")


@settings(max_examples=40)
@given(st.dictionaries(st.sampled_from([entry[0] for entry in FACTS]), st.text(max_size=200) | st.integers(0, 2**40)))
def test_facts_never_become_markup_nor_a_second_line(facts: dict[str, str | int]) -> None:
    for language in ("en", "zh"):
        found = told(language, **dict[str, Any](facts))
        text = markdown(found, robots.WECOM_BYTES)
        assert len(text.encode()) <= robots.WECOM_BYTES
        assert text.startswith(f"**{unmarked(found.title)}**")
        body = text[len(found.title) + 4 : text.rindex("[")]
        assert not set(body) & set("<[]()*_`#@!\\~|&")
        assert body.count("\n> ") <= len(found.lines)
        assert "\n" not in found.short and "\r" not in found.short
        assert json.loads(json.dumps(found.facts)) == found.facts
        assert str(mail.mail_of({"sender": "a@b.c", "recipients": ["d@e.f"]}, found)).count("Subject:") >= 1


@pytest.mark.parametrize(
    ("kind", "case", "lift", "wanted"),
    [
        ("rescue_centre", "c", "l", "https://x/desk/c"),
        ("platform", "c", "l", "https://x/desk/c"),
        ("contractor", "c", "l", "https://x/phone/c"),
        ("owner", "c", "l", "https://x/lift/l"),
        ("contractor", "", "", "https://x"),
    ],
)
def test_a_link_leads_to_the_page_on_which_that_organisation_goes_on(
    kind: str, case: str, lift: str, wanted: str
) -> None:
    assert link_of("https://x", kind, case, lift) == wanted
    assert link_of("", kind, case, lift) == ""


@given(st.text("0123456789+ ", min_size=1, max_size=20))
def test_a_masked_number_hides_at_least_four_digits(number: str) -> None:
    assert len(masked(number).replace("*", "")) <= 5


@given(st.integers(1, MOST_ATTEMPTS), st.integers(1, 1000), st.integers(0, 3_600_000), st.floats(0, 1))
def test_a_failed_attempt_waits_as_long_as_it_was_asked_to_and_a_channel_no_longer_than_75_s_else(
    attempts: int, failures: int, after_ms: int, spread: float
) -> None:
    waits = Failed(attempts, failures, after_ms, spread).waits(NOW)
    assert NOW + max(after_ms, 1500) <= waits.channel_ms <= NOW + max(75_000, int(after_ms * 1.25))
    assert waits.channel_ms <= waits.notice_ms <= waits.channel_ms + 750_000
