"""Words of cases that are data: cause classes, outcomes, what is said to who is shut in. Modelled on published statistics; the lists are ours."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Cause:
    """A cause class, in a group: misuse, the lift, outside, unknown."""

    name: str
    group: str
    zh: str
    en: str


CAUSE_GROUPS = {
    "misuse": ("使用原因", "Use"),
    "lift": ("设备原因", "The lift"),
    "outside": ("外部原因", "From outside"),
    "unknown": ("原因不明", "Unknown"),
}
CAUSES = (
    Cause("rubbish_in_door", "misuse", "杂物卡阻门", "Rubbish in the door"),
    Cause("moving_goods", "misuse", "搬运撞击变形", "Bent while goods were moved"),
    Cause("overload", "misuse", "超载", "Overload"),
    Cause("door_held", "misuse", "扒门、挡门", "Door held or forced"),
    Cause("other_misuse", "misuse", "其他使用不当", "Other misuse"),
    Cause("door_system", "lift", "门系统故障", "Door system"),
    Cause("control", "lift", "控制系统故障", "Control"),
    Cause("electrical", "lift", "电气系统故障", "Electrical"),
    Cause("traction", "lift", "曳引系统故障", "Traction"),
    Cause("safety_device", "lift", "安全保护装置动作", "Safety device"),
    Cause("power_cut", "outside", "停电", "Power cut"),
    Cause("water", "outside", "进水", "Water"),
    Cause("building", "outside", "建筑沉降或施工", "The building or works on it"),
    Cause("unknown", "unknown", "原因不明", "Unknown"),
)
CAUSE_NAMES = frozenset(cause.name for cause in CAUSES)

OUTCOMES = {
    "released": ("已救出", "Released"),
    "self_released": ("自行脱困", "Got out by themselves"),
    "nobody_inside": ("轿厢内无人", "Nobody inside"),
    "false_alarm": ("误报", "False alarm"),
    "test_or_drill": ("测试或演练", "Test or drill"),
    "mended": ("已修复", "Mended"),
    "no_fault_found": ("未发现故障", "No fault found"),
    "gateway_back": ("网关已恢复", "Gateway back"),
    "settled": ("已处理", "Settled"),
    "joined": ("并入其他警情", "Joined to another case"),
}

# What is said to who is shut in, in this order.
COMFORT = {
    "heard": ("您好，这里是电梯应急处置中心，已收到您的求助。", "This is the lift rescue desk; we have your call."),
    "count_injured": (
        "请问轿厢里有几个人？有没有人受伤或不舒服？",
        "How many of you are there? Is anybody hurt or unwell?",
    ),
    "air": ("轿厢不是密闭的，空气充足，请不要担心。", "The car is not air-tight; there is enough air."),
    "light": ("轿厢里灯还亮吗？", "Is the light on in the car?"),
    "keep_off_door": ("请不要扒门、不要自行爬出，远离轿门。", "Do not force the door or climb out; stay away from it."),
    "who_comes": ("维保人员已经出发。", "The technicians are on their way."),
    "when": ("预计到达时间已告知。", "When they will be there has been said."),
    "stay": ("我们会一直与您保持联系。", "We stay in touch with you."),
}
