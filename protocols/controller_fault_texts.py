"""Words for the fault words of lift controllers, Chinese and English: cause and remedy. For people; the node never imports it.

Sources: "file" = the vendor's phone-app data as read (its words for the group), "memory" = from memory and to be checked
against the manual of the firmware at hand, "server" = a public server's table. The remedies are ours.
"""

from protocols.controller_faults import NO_FAULT, national_code

# {profile: {word: (source, cause en, cause zh, remedy en, remedy zh)}}
# fmt: off
WORDS = {
    "nice3000": {
        2: ("file, split by memory", "Over-current while accelerating", "加速过电流",
            "Check the motor's wiring, the brake and the load; then the drive's tuning.", "检查电机接线、制动器与负载，再查调谐参数。"),
        3: ("file, split by memory", "Over-current while decelerating", "减速过电流",
            "Check the motor's wiring, the brake and the braking resistor.", "检查电机接线、制动器与制动电阻。"),
        4: ("file, split by memory", "Over-current at constant speed", "恒速过电流",
            "Check the motor's wiring, the brake and the guide shoes.", "检查电机接线、制动器与导靴。"),
        5: ("file, split by memory", "Over-voltage while accelerating", "加速过电压",
            "Check the mains voltage and the braking resistor.", "检查电网电压与制动电阻。"),
        6: ("file, split by memory", "Over-voltage while decelerating", "减速过电压",
            "Check the braking resistor and its unit.", "检查制动电阻与制动单元。"),
        7: ("file, split by memory", "Over-voltage at constant speed", "恒速过电压",
            "Check the mains voltage and the braking resistor.", "检查电网电压与制动电阻。"),
        8: ("file", "Pre-charge of the drive failed", "预充电回路故障",
            "Have the drive's charging circuit checked by the maker's service.", "由厂家检查变频器充电回路。"),
        9: ("file", "Under-voltage", "欠电压",
            "Check the mains and its contactors; ask for power cuts.", "检查电源与接触器，确认是否停电。"),
        10: ("file, split by memory", "Drive overloaded", "驱动器过载",
             "Check the brake, the balance and the load.", "检查制动器、平衡系数与负载。"),
        11: ("file, split by memory", "Motor overloaded", "电机过载",
             "Check the brake, the motor and its set data.", "检查制动器、电机与电机参数。"),
        12: ("file, split by memory", "A phase of the mains is missing", "输入缺相",
             "Check the mains' phases and terminals.", "检查三相电源与接线端子。"),
        13: ("file, split by memory", "A phase to the motor is missing", "输出缺相",
             "Check the motor's cable and the running contactor.", "检查电机电缆与运行接触器。"),
        14: ("file", "Drive too hot", "模块过热",
             "Check fan, filter and the temperature of the cabinet.", "检查风扇、风道与柜内温度。"),
        16: ("file, split by memory", "Current control failed", "电流控制故障",
             "Check encoder and motor data; tune again.", "检查编码器与电机参数，重新调谐。"),
        17: ("file, split by memory", "Encoder signal at tuning wrong", "编码器基准信号异常",
             "Check the encoder's cable and shield.", "检查编码器电缆与屏蔽。"),
        18: ("file, split by memory", "Current measurement failed", "电流检测故障",
             "Have the drive checked by the maker's service.", "由厂家检查变频器。"),
        19: ("file, split by memory", "Motor tuning failed", "电机调谐故障",
             "Check the motor's data and wiring; tune again.", "检查电机参数与接线，重新调谐。"),
        20: ("file", "Encoder fault", "旋转编码器故障",
             "Check encoder, cable and shield.", "检查编码器、电缆与屏蔽。"),
        22: ("file", "Levelling signal wrong", "平层信号异常",
             "Check the levelling switches and their vanes.", "检查平层感应器与隔磁板。"),
        24: ("file", "Controller's clock failed", "RTC时钟故障",
             "Set the clock; change its battery or the board.", "校准时钟，更换电池或主板。"),
        25: ("file", "Controller's memory failed", "存储数据异常",
             "Have the main board checked by the maker's service.", "由厂家检查主板。"),
        26: ("file", "Earthquake signal", "地震信号",
             "Inspect shaft, rails and ropes before the lift runs again.", "恢复运行前检查井道、导轨与钢丝绳。"),
        29: ("file", "Star-short contactor's feedback wrong", "封星接触器反馈异常",
             "Check the contactor and its feedback contact.", "检查封星接触器及反馈触点。"),
        30: ("file", "Car position wrong", "电梯位置异常",
             "Check levelling switches, ropes for slip, and encoder.", "检查平层感应器、钢丝绳打滑与编码器。"),
        33: ("file", "Speed wrong", "电梯速度异常",
             "Check encoder, motor data and the balance.", "检查编码器、电机参数与平衡系数。"),
        34: ("file", "Logic fault", "逻辑故障",
             "Note what was shown; have the main board checked.", "记录现象，由厂家检查主板。"),
        35: ("file", "Shaft learning data wrong", "井道自学习数据异常",
             "Check the shaft's switches; learn the shaft again.", "检查井道开关，重新井道自学习。"),
        36: ("file", "Running contactor's feedback wrong", "运行接触器反馈异常",
             "Check the contactor and its feedback contact.", "检查运行接触器及反馈触点。"),
        37: ("file", "Brake contactor's feedback wrong", "抱闸接触器反馈异常",
             "Check the brake's contactor and its feedback contact.", "检查抱闸接触器及反馈触点。"),
        38: ("file", "Encoder signal missing", "旋转编码器信号异常",
             "Check encoder, cable and coupling.", "检查编码器、电缆与联轴器。"),
        39: ("file", "Motor too hot", "电机过热",
             "Check the motor's fan and its thermal contact.", "检查电机风机与热敏触点。"),
        40: ("file", "Run-time limit exceeded", "电梯运行超时",
             "Check traction, brake and levelling switches.", "检查曳引、制动器与平层感应器。"),
        41: ("file", "Safety circuit open", "安全回路断开",
             "Find the contact that opened before resetting.", "复位前查明断开的安全触点。"),
        42: ("server; the file repeats 36", "Door lock opened while running", "运行中门锁断开",
             "Check landing and car door locks and their contacts.", "检查厅门、轿门门锁及触点。"),
        43: ("file, split by memory", "Upper limit switch", "上限位信号异常",
             "Check the switch and the car's over-travel at the top.", "检查上限位开关与冲顶情况。"),
        44: ("file, split by memory", "Lower limit switch", "下限位信号异常",
             "Check the switch and the car's over-travel at the bottom.", "检查下限位开关与蹲底情况。"),
        45: ("file", "Forced deceleration switch", "强迫减速开关异常",
             "Check the deceleration switches at both ends.", "检查上下强迫减速开关。"),
        46: ("file", "Relevelling failed", "再平层异常",
             "Check levelling switches, door-zone relay and brake.", "检查平层感应器、封门继电器与制动器。"),
        47: ("file", "Door-bridging contactor's feedback wrong", "封门接触器异常",
             "Check the contactor and its feedback contact.", "检查封门接触器及反馈触点。"),
        48: ("file", "Door does not open", "开门故障",
             "Check door drive, coupler and opening limit.", "检查门机、门刀与开门到位信号。"),
        49: ("file", "Door does not close", "关门故障",
             "Clear the sill; check light curtain and door drive.", "清理地坎，检查光幕与门机。"),
        51: ("file", "CAN bus to the car failed", "CAN通讯故障",
             "Check the travelling cable and the car-top board.", "检查随行电缆与轿顶板。"),
        52: ("file", "Landing call bus failed", "外召通讯故障",
             "Check the landing boards and their addresses.", "检查外召板及地址设置。"),
        53: ("file", "Door lock fault", "门锁故障",
             "Check the locks for bridges and for contacts that stick.", "检查门锁是否短接或触点粘连。"),
        54: ("memory; unnamed in the file", "Over-current at the start of an inspection run", "检修启动过电流",
             "Check brake and motor; tune again.", "检查制动器与电机，重新调谐。"),
        55: ("file", "Stopped at another floor, the door did not open", "换层停靠",
             "Check the door's opening limit at the floor it left.", "检查原楼层开门到位信号。"),
        56: ("file", "Overspeed", "电梯超速",
             "Take the lift out of service; check governor, encoder and balance.", "立即停用，检查限速器、编码器与平衡系数。"),
        57: ("file", "SPI link inside the controller failed", "SPI通讯故障",
             "Have the boards checked by the maker's service.", "由厂家检查控制板。"),
        58: ("file", "Shaft position switches wrong", "井道位置开关异常",
             "Check deceleration and limit switches for wiring and order.", "检查强迫减速与限位开关接线与顺序。"),
        65: ("memory and server; newer firmware", "Unintended car movement", "轿厢意外移动",
             "Take the lift out of service; check brake and locks.", "立即停用，检查制动器与门锁。"),
    },
}
# fmt: on
# Numbers that the vendor's file keeps free: a controller that shows one is of another firmware than the file.
RESERVED = {"nice3000": (1, 15, 21, 23, 27, 28, 31, 32, 50)}


def is_known(word: int, profile: str | None) -> bool:
    """Does the table say what `word` of `profile` means? "No fault" is known of every controller."""
    return word == NO_FAULT or (profile is not None and word in WORDS.get(profile, {}))


def told(word: int | None, profile: str | None) -> dict | None:
    """What is shown of a fault word: {word, known, code, cause {en, zh}, remedy {en, zh}}; None if there is no fault.

    A word that the table lacks keeps its number; its remedy is empty, for guessing would send people to the wrong part.
    """
    if word is None or word == NO_FAULT:
        return None
    code = national_code(word, profile)
    if not is_known(word, profile):
        reserved = profile is not None and word in RESERVED.get(profile, ())
        more = (", reserved by the maker", "（厂家保留）") if reserved else ("", "")
        cause = {"en": "Unknown word %d%s" % (word, more[0]), "zh": "未知故障号 %d%s" % (word, more[1])}
        return {"word": word, "known": False, "code": code, "cause": cause, "remedy": {"en": "", "zh": ""}}
    _, cause_en, cause_zh, remedy_en, remedy_zh = WORDS[profile or ""][word]
    return {
        "word": word, "known": True, "code": code,
        "cause": {"en": cause_en, "zh": cause_zh}, "remedy": {"en": remedy_en, "zh": remedy_zh},
    }  # fmt: skip
