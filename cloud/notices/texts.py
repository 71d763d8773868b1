"""All words of notices, {key: (English, Chinese)}, and how each fact is told. What is not listed here is kept and not told."""

from collections.abc import Callable
from datetime import UTC, datetime

from cloud.cases import words
from cloud.pages.render import SITE_ZONE
from protocols.fault_texts import TEXTS as FAULTS

TITLES: dict[str, tuple[str, str]] = {
    "case_opened": ("New case", "新警情"),
    "case_unacknowledged": ("Nobody has taken it yet", "无人确认"),
    "case_ordered": ("Please go there", "请派员前往"),
    "case_ordered_call": ("Please telephone and note it", "请电话通知并登记"),
    "case_stood_down": ("No need to go any more", "无需前往"),
    "case_unanswered": ("The order was not answered", "派单无人应答"),
    "case_not_arrived": ("Not on site in time", "未按时到场"),
    "case_escalated": ("Escalated", "已升级"),
    "case_arrived": ("Help is on site", "救援人员已到场"),
    "case_released": ("Everybody is out", "被困人员已救出"),
    "case_closed": ("Case closed", "警情已办结"),
    "case_reminder": ("Something is due", "待办提醒"),
    "gateway_silent": ("Gateway silent", "网关失联"),
    "gateway_back": ("Gateway heard again", "网关恢复"),
    "test": ("Test: this way works", "测试消息：此渠道可用"),
}
# What a case is about stands before its title.
CASE_KINDS: dict[str, tuple[str, str]] = {
    "trapped": ("TRAPPED", "困人"),
    "fault": ("Fault", "故障"),
    "gateway_silent": ("Gateway", "网关"),
    "other": ("Call", "求助"),
}
LEVELS: dict[int, tuple[str, str]] = {
    1: ("1, maintenance contractor", "一级（维保单位）"),
    2: ("2, rescue station", "二级（网格救援站）"),
    3: ("3, fire brigade 119", "三级（消防 119）"),
}
# Why a case moved on by itself, or what somebody is reminded of. Other reasons are a person's own words or go without.
REASONS: dict[str, tuple[str, str]] = {
    "unanswered": ("no answer in time", "未按时应答"),
    "not_arrived": ("not on site in time", "未按时到场"),
    "not_freed": ("on site, and not yet freed", "已到场但未按时救出"),
    "refused": ("the unit refused", "处置单位拒绝"),
    "nobody_left": ("there is no further level: telephone", "已无更高级别，请电话联系"),
    "call": ("somebody is to be telephoned", "须电话通知并登记"),
    "raised": ("people are inside after all", "升级为困人"),
    "not_mended": ("not mended in time", "未按时修复"),
    "unshelved": ("the time of its shelving is over", "搁置到期"),
    "car_not_told": ("the car could not be told that the alarm is over", "报警解除未能告知轿厢"),
    "call_back": ("the call afterwards is due", "须回访"),
    "cause": ("the cause is to be reported", "须上报原因"),
    "review": ("open for long: look through it", "长时间未办结，请复核"),
}
OUTCOMES = {name: (english, chinese) for name, (chinese, english) in words.OUTCOMES.items()}
CAUSES = {cause.name: (cause.en, cause.zh) for cause in words.CAUSES}
# What a receipt says where the receiver said nothing; its own codes are shown as they came.
CODES: dict[str, tuple[str, str]] = {
    "timeout": ("no answer in time", "对方未按时答复"),
    "cut": ("the connection broke off", "连接中断"),
    "no_connection": ("no connection", "无法连接"),
    "no_such_host": ("there is no such host", "主机不存在"),
    "forbidden_address": ("not sent: the host is no public one", "未发送：该主机不是公网地址"),
    "needs_https": ("not sent: the URL must be https", "未发送：URL 须为 https"),
    "url_form": ("not sent: the URL is wrong", "未发送：URL 有误"),
    "no_errcode": ("it answered 200 without an errcode", "对方答复 200 但无 errcode"),
    "nobody": ("nobody with these roles has a telephone number", "所选角色的人员均未登记电话"),
    "overflow": ("given up for graver ones: too many were waiting", "等待过多，已让位于更严重的通知"),
    "switched_off": ("the way was switched off", "渠道已停用"),
}
OPEN = ("Open", "打开")
MADE = ("Told at", "通知时间")

Words = dict[str, tuple[str, str]]


def said(pair: tuple[str, str], language: str) -> str:
    """The word in "en" or "zh"."""
    return pair[0 if language == "en" else 1]


def local(at_ms: int) -> str:
    """A time as people at the lifts read it, with its offset."""
    return datetime.fromtimestamp(at_ms / 1000, UTC).astimezone(SITE_ZONE).strftime("%m-%d %H:%M:%S +08:00")


def _text(value: str | int, language: str) -> str:
    return str(value)


def _time(value: str | int, language: str) -> str:
    return local(value) if isinstance(value, int) else value


def _out_of(words: Words) -> Callable[[str | int, str], str]:
    return lambda value, language: said(words[str(value)], language) if str(value) in words else str(value)


def _level(value: str | int, language: str) -> str:
    return said(LEVELS[value], language) if isinstance(value, int) and value in LEVELS else str(value)


def _event(value: str | int, language: str) -> str:
    found = FAULTS.get(str(value))
    return str(value) if found is None else found[0 if language == "en" else 1]


def _minutes(value: str | int, language: str) -> str:
    return f"{value} min" if language == "en" else f"{value} 分钟"


def _people(value: str | int, language: str) -> str:
    return str(value) if language == "en" else f"{value} 人"


# In the order in which they are told: (fact, (label), how). The short text has those of SHORT.
FACTS: tuple[tuple[str, tuple[str, str], Callable[[str | int, str], str]], ...] = (
    ("rescue_code", ("Rescue code", "救援识别码"), _text),
    ("lift_name", ("Lift", "电梯"), _text),
    ("place", ("Place", "地址"), _text),
    ("event", ("What", "事件"), _event),
    ("where", ("Where it stands", "轿厢位置"), _text),
    ("persons", ("People inside", "被困人数"), _people),
    ("injured", ("Injured", "受伤人数"), _people),
    ("since_ms", ("Since", "发生时间"), _time),
    ("level", ("Level", "救援级别"), _level),
    ("unit", ("Ordered", "处置单位"), _text),
    ("by", ("By", "操作人"), _text),
    ("eta_min", ("There in", "预计到达"), _minutes),
    ("due_ms", ("Due at", "截止时间"), _time),
    ("outcome", ("Outcome", "处置结果"), _out_of(OUTCOMES)),
    ("cause", ("Cause", "原因"), _out_of(CAUSES)),
    ("why", ("Why", "缘由"), _out_of({**OUTCOMES, **REASONS})),
    ("gateway", ("Gateway", "网关"), _text),
    ("lifts", ("Lifts behind it", "所属电梯数"), _text),
    ("at_risk", ("Last seen occupied or moving", "失联前有人或运行中的电梯"), _text),
    ("note", ("Note", "备注"), _text),
    ("number", ("Case", "警情编号"), _text),
)
SHORT = (
    "rescue_code",
    "lift_name",
    "place",
    "event",
    "where",
    "persons",
    "since_ms",
    "level",
    "unit",
    "due_ms",
    "gateway",
    "at_risk",
)
