"""Words for the conditions and causes of the fault table, Chinese and English, and an event explained by them. The node never imports it."""

from protocols.faults import BY_NAME

# fmt: off
# Each with its English and Chinese.
CONDITIONS = {
    "above_top": ("the car is more than 0.2 m above the top landing", "轿厢超过顶层平层0.2米以上"),
    "arrived_unopened": ("the car has arrived and its door has not opened since", "轿厢到站后门未打开过"),
    "at_work": ("a technician is at work", "维保作业中"),
    "battery_good": ("the battery is not low", "备用电池电量正常"),
    "battery_low": ("the battery is low", "备用电池电量低"),
    "below_bottom": ("the car is more than 0.2 m below the bottom landing", "轿厢低于底层平层0.2米以上"),
    "button": ("the alarm button was pressed", "报警按钮按下"),
    "button_held": ("the alarm button is held", "报警按钮持续按下"),
    "button_released": ("the alarm button is released", "报警按钮已松开"),
    "door_not_closed": ("a door is not closed", "有门未关闭"),
    "door_open": ("a door is fully open", "门完全打开"),
    "door_reversing": ("the door reversed five times at this stop", "本次停靠门反转五次"),
    "doors_closed": ("all doors are closed", "门全部关闭"),
    "drifted": ("the car has drifted 0.2 m from where it stopped", "轿厢自停止位置漂移0.2米"),
    "in_zone": ("the car is in the door zone", "轿厢在开锁区域内"),
    "just_restored": ("automatic operation has just begun again", "刚恢复自动运行"),
    "left_zone_open": ("the car left its landing with a door open", "轿厢开门状态离开平层"),
    "levelling_calm": ("no more than two relevellings in ten minutes", "十分钟内再平层不超过两次"),
    "link_answers": ("the controller answers", "控制器有应答"),
    "link_silent": ("the controller is silent", "控制器无应答"),
    "lock_closed": ("the door lock circuit is closed", "门锁回路接通"),
    "lock_open": ("the door lock circuit is open", "门锁回路断开"),
    "mains_off": ("the mains is off", "主电源断电"),
    "mains_on": ("the mains is present", "主电源有电"),
    "mains_settled": ("the mains has been present long enough for the controller to start", "主电源恢复已足够控制器启动"),
    "mode_0": ("the lift is out of service", "电梯停止服务"),
    "mode_2": ("the lift is in inspection operation", "电梯处于检修运行"),
    "mode_3": ("the lift is in fire return", "电梯处于消防返回"),
    "mode_4": ("the lift is in firefighter operation", "电梯处于消防员运行"),
    "mode_5": ("the lift runs on emergency power", "电梯处于应急电源运行"),
    "mode_6": ("the lift is in earthquake mode", "电梯处于地震模式"),
    "moved": ("the car moves at more than levelling speed", "轿厢以高于再平层的速度运行"),
    "no_word": ("the controller shows no fault", "控制器无故障显示"),
    "nobody": ("the sensor sees nobody in the car", "传感器显示轿内无人"),
    "not_above_top": ("the car is not beyond the top landing", "轿厢未超过顶层平层"),
    "not_at_work": ("no technician is at work", "无维保作业"),
    "not_below_bottom": ("the car is not beyond the bottom landing", "轿厢未低于底层平层"),
    "not_mode_0": ("the lift is no longer out of service", "电梯已退出停止服务"),
    "not_mode_2": ("the lift is no longer in inspection operation", "电梯已退出检修运行"),
    "not_mode_3": ("the lift is no longer in fire return", "电梯已退出消防返回"),
    "not_mode_4": ("the lift is no longer in firefighter operation", "电梯已退出消防员运行"),
    "not_mode_5": ("the lift no longer runs on emergency power", "电梯已退出应急电源运行"),
    "not_mode_6": ("the lift is no longer in earthquake mode", "电梯已退出地震模式"),
    "not_seen_occupied": ("nobody is seen in the car, or it is not known", "未见轿内有人或无法判断"),
    "not_too_fast": ("the speed is below 115 % of the rated speed", "速度低于额定速度的115%"),
    "occupancy_unsteady": ("somebody was seen in the car since it stopped", "停车后曾见轿内有人"),
    "opening_tried": ("the door tried to open", "门曾尝试打开"),
    "other_word": ("the controller shows another fault", "控制器显示其他故障"),
    "out_of_zone": ("the car is outside the door zone", "轿厢在开锁区域外"),
    "passenger": ("somebody is in the car", "轿内有人"),
    "presence_constant": ("somebody was seen for ten minutes while the door opened ten times", "十分钟内门开启十次而传感器始终显示有人"),
    "relevelling_often": ("three relevellings at open doors in ten minutes", "十分钟内开门再平层三次"),
    "restored_before": ("automatic operation has lasted for a while", "自动运行已持续一段时间"),
    "running": ("the car runs", "轿厢运行"),
    "running_lately": ("the car runs, or did a second ago", "轿厢运行或一秒前在运行"),
    "safety_closed": ("the safety circuit is closed", "安全回路接通"),
    "safety_open": ("the safety circuit is open", "安全回路断开"),
    "stands_and_creeps": ("the drive says that the car stands, and it moves", "驱动显示停止而轿厢在移动"),
    "starts_failed": ("three runs in three minutes did not move the car", "三分钟内三次启动未移动"),
    "stopped": ("the car stands", "轿厢停止"),
    "stopped_by_word": ("a fault of the controller ended the run, and it has not run since", "控制器故障终止运行且之后未再运行"),
    "too_fast": ("three samples at 115 % of the rated speed or more", "连续三次采样达到额定速度的115%及以上"),
    "unopened_since_cut": ("no door was seen open since the mains failed", "断电后未见门打开"),
    "word_of_position": ("the controller's fault says that it lost its position", "控制器故障显示位置丢失"),
    "zone_flickers": ("the door-zone signal changed six times in a minute while the car stood", "轿厢静止时门区信号一分钟内变化六次"),
    "zone_quiet": ("the door-zone signal is steady", "门区信号稳定"),
}

# What a gateway's own incidents stand by.
GATEWAY_CONDITIONS = {
    "first_member": ("it began at the first of its lifts", "首台电梯发生"),
    "newest_member": ("it began at the newest of its lifts", "最近一台电梯发生"),
    "many": ("so many lifts that they are one incident", "数量达到区域事件标准"),
    "last_heard": ("the node was heard for the last time", "最后一次收到监测终端信号"),
    "watched": ("the gateway has waited for the node", "网关开始等待该监测终端"),
    "will": ("the broker said that the node's connection had ended", "服务器告知监测终端连接中断"),
    "heard_again": ("the node is heard again, and stays", "监测终端恢复信号并保持"),
    "all_well": ("each of its lifts has been well for a minute", "全部电梯均已恢复一分钟"),
}
# What ends them.
GATEWAY_CLEARS = {
    "node_offline": "heard_again", "area_power_cut": "all_well", "area_earthquake": "all_well", "area_silence": "all_well",
}  # fmt: skip

# What an event's `cause` says beyond its conditions.
CAUSES = {
    "ended": ("ended by a competent person", "由专业人员结束报警"),
    "pressed": ("pressed in the car", "轿内按下"),
    "pressed_again": ("pressed again", "再次按下"),
    "empty": ("the sensor sees nobody", "传感器显示无人"),
    "occupancy_unknown": ("whether somebody is inside is not known", "轿内是否有人未知"),
    "mains_unknown": ("nothing tells of the mains", "主电源状态未知"),
    "work_by_key": ("begun with the key", "钥匙开启"),
    "work_by_command": ("begun by command", "命令开启"),
    "work_ended": ("work has ended, and it still holds", "作业结束后仍存在"),
    "way_out_shut": ("the way out is no longer free", "出口不再畅通"),
    "on_battery": ("it told last that it lived on its battery", "最后状态为电池供电"),
    "mains_present": ("it told last that its mains was there", "最后状态为主电源正常"),
    "broker": ("the gateway's own way to the broker is down", "网关与服务器之间的连接中断"),
    "merged": ("taken into a wider area event", "已并入更大范围的区域事件"),
}
# fmt: on


def _condition(name: str) -> dict:
    words = CONDITIONS.get(name) or GATEWAY_CONDITIONS.get(name)
    return {"condition": name, "en": words[0] if words else name, "zh": words[1] if words else name}


def cause_words(cause: str) -> dict | None:
    """{en, zh} of an event's cause, None where nothing is to be said of it."""
    words = CAUSES.get(cause) or CONDITIONS.get(cause)
    return {"en": words[0], "zh": words[1]} if words else None


def explained(kind: str, evidence: list, cause: str, end_cause: str = "") -> dict:
    """Why an event stands, and what would end it: {cause, held: [{condition, en, zh, since_ms}], clears: [[{condition, en, zh}]], clear_ms, ended}.

    `evidence` is [[condition, since ms]]. Any group of `clears` that holds for `clear_ms` ends it; a kind that no table has, has
    none. A condition of a later version keeps its name.
    """
    fault = BY_NAME.get(kind)
    clears = fault.clear if fault else [(GATEWAY_CLEARS[kind],)] if kind in GATEWAY_CLEARS else []
    return {
        "cause": cause_words(cause),
        "held": [dict(_condition(name), since_ms=since) for name, since in evidence],
        "clears": [[_condition(name) for name in names] for names in clears],
        "clear_ms": fault.clear_ms if fault else None,
        "ended": cause_words(end_cause),
    }
