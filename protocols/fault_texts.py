"""Words for the fault table, Chinese and English: title, what it means, what to do. For people; the node never imports it."""

# What a gateway tells of itself, {name: severity}; no node detects it.
GATEWAY_FAULTS = {"store_damaged": 2}

# name: (title en, title zh, meaning en, meaning zh, remedy en, remedy zh)
TEXTS = {
    "button_pressed": (
        "Alarm button pressed", "报警按钮动作",
        "Someone in the car pressed the alarm button.", "轿内人员按下报警按钮。",
        "Call the car, then dispatch.", "立即与轿厢通话，安抚并派单。",
    ),
    "trapped_at_level": (
        "Trapped at floor level", "平层困人",
        "The car stands at a floor with its doors closed and someone inside.", "轿厢停在平层，门未开，轿内有人。",
        "Release the passenger by the door; check door drive and lock.", "平层开门放人；检查门机与门锁。",
    ),
    "trapped_between_floors": (
        "Trapped between floors", "非平层困人",
        "The car stands outside the door zone with someone inside.", "轿厢停在开锁区域外，轿内有人。",
        "Do not let anyone force the door; move the car to a floor by the rescue procedure.", "严禁扒门；按救援规程盘车至平层。",
    ),
    "running_with_door_open": (
        "Running with door open", "运行中开门",
        "The car moved outside the door zone while a door or its lock circuit was open.", "轿厢在开锁区域外运行时门未关闭或门锁回路断开。",
        "Take the lift out of service; check locks, bridges and door switch.", "立即停用；检查门锁、短接线与门开关。",
    ),
    "safety_circuit_open_running": (
        "Safety circuit opened while running", "电梯运行时安全回路断路",
        "A safety device opened the circuit during a run.", "运行中有安全装置断开安全回路。",
        "Find the contact that opened before resetting.", "复位前查明断开的安全触点。",
    ),
    "stopped_outside_door_zone": (
        "Stopped outside the door zone", "轿厢在开锁区域外停止",
        "The car stands between floors; nobody was seen inside, or it is not known.", "轿厢停在开锁区域外，未见有人或无法判断。",
        "Call the car to be sure that it is empty.", "先与轿厢通话确认无人。",
    ),
    "door_blocked": (
        "Door cannot close", "关门故障",
        "The door stayed open or reversed again and again.", "门长时间不能关闭或反复开关。",
        "Clear the sill; check light curtain and door drive.", "清理地坎；检查光幕与门机。",
    ),
    "door_wont_open": (
        "Door does not open", "开门故障",
        "The car arrived at a floor, but its door did not open.", "轿厢到站后门未打开。",
        "Check door drive, coupler and lock.", "检查门机、门刀与门锁。",
    ),
    "run_time_exceeded": (
        "Run-time limit exceeded", "电动机运转时间限制器动作",
        "One run lasted longer than the full travel and a margin.", "单次运行时间超过全程运行时间加裕量。",
        "Check traction, brake and shaft switches.", "检查曳引、制动器与井道开关。",
    ),
    "mains_lost": (
        "Mains lost", "主电源断电",
        "The node's own supply sense is off; it lives on its battery.", "监测终端检测到主电源断电，由电池供电。",
        "Ask the property manager; check whether someone is in the car.", "联系物业；确认轿内是否有人。",
    ),
    "controller_mute": (
        "Controller does not answer", "控制器无应答",
        "The lift controller is silent although the mains is present.", "主电源正常，但电梯控制器无应答。",
        "Check the RS-485 cable, its terminals and the controller.", "检查RS-485接线、端子与控制器。",
    ),
    "store_damaged": (
        "Gateway store damaged", "网关存储损坏",
        "A file of the gateway was damaged; a new one was started with all that could be read, the nodes send again what they hold.",
        "网关的一个存储文件损坏；已新建文件并恢复可读数据，监测终端会补发其仍保存的数据。",
        "Check the disk of the gateway; move the damaged file away to end this message.", "检查网关磁盘；将损坏文件移走后此消息自动关闭。",
    ),
}  # fmt: skip
