"""Words for the fault table, Chinese and English: title, what it means, what to do. For people; the node never imports it."""

# What only a gateway can know, {name: severity}; no node detects it. Of an area event it is the least: it rises with what is
# known of the people in its cars.
GATEWAY_FAULTS = {
    "store_damaged": 2, "node_offline": 2, "area_power_cut": 2, "area_earthquake": 2, "area_silence": 2,
}  # fmt: skip

# The classes of an area's members in the order in which they are looked after, {name: (en, zh)}.
TRIAGE_TEXTS = {
    "alarm": ("Trapped or alarm pressed", "被困或报警"),
    "occupied": ("Occupied", "有人"),
    "unknown": ("Occupancy unknown", "是否有人未知"),
    "moving": ("Empty, between floors or moving", "无人，层间或运行中"),
    "empty": ("Empty at a floor", "无人，停在层站"),
    "ended": ("Over", "已恢复"),
}
# Why a member is of its class, {reason: (en, zh)}; an alarm's reason is the fault itself.
REASON_TEXTS = {
    "passenger_seen": ("somebody was seen inside", "检测到轿内有人"),
    "presence_unknown": ("nothing tells whether somebody is inside", "无法得知轿内是否有人"),
    "presence_stuck": ("the presence sensor cannot be believed", "人员传感器不可信"),
    "between_floors": ("between floors, nobody seen", "停在层间，未见有人"),
    "running": ("was moving, nobody seen", "运行中，未见有人"),
    "nobody_seen": ("nobody seen inside", "未见有人"),
    "ended": ("well again", "已恢复正常"),
}

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
        "The door stayed open for two and a half minutes.", "门持续150秒未能关闭。",
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
    "unintended_car_movement": (
        "Unintended car movement", "轿厢意外移动",
        "The car left its landing with a door open.", "轿厢在门未关闭时离开平层。",
        "Take the lift out of service at once; check brake, traction and the protection against it.", "立即停用；检查制动器、曳引能力与意外移动保护装置。",
    ),
    "trapped_in_power_cut": (
        "Trapped in a power cut", "停电困人",
        "The mains is off, someone is in the car and no door was seen to open; where it stands is what was known last.",
        "主电源断电，轿内有人且未见开门；轿厢位置为断电前的最后已知位置。",
        "Call the car; release by the rescue procedure, do not wait for the mains.", "与轿厢通话；按救援规程放人，不要等待来电。",
    ),
    "overspeed": (
        "Overspeed", "超速",
        "The car ran at 115 % of its rated speed or more.", "轿厢速度达到额定速度的115%及以上。",
        "Take the lift out of service; check drive, encoder, brake and governor.", "立即停用；检查驱动、编码器、制动器与限速器。",
    ),
    "over_travel_up": (
        "Beyond the top landing", "冲顶",
        "The car is beyond its top landing.", "轿厢越过顶层平层位置。",
        "Check limit switches, encoder and counterweight buffer; look for passengers.", "检查极限开关、编码器与对重缓冲器；确认轿内人员。",
    ),
    "over_travel_down": (
        "Beyond the bottom landing", "蹲底",
        "The car is below its bottom landing.", "轿厢越过底层平层位置。",
        "Check limit switches, traction, load and buffer; look for passengers.", "检查极限开关、曳引、载荷与缓冲器；确认轿内人员。",
    ),
    "door_reversal_loop": (
        "Door opens again and again", "反复开关门",
        "The door reversed five times at one stop.", "门在同一层站反复开关五次。",
        "Clear the sill; check light curtain, edge and closing force.", "清理地坎；检查光幕、触板与关门力。",
    ),
    "start_failing": (
        "Does not start", "启动失败",
        "Three starts in a row did not move the car.", "连续三次启动轿厢未移动。",
        "Check brake release, contactors and door lock circuit.", "检查制动器打开、接触器与门锁回路。",
    ),
    "brake_slipping": (
        "Car moves at standstill", "溜车",
        "The drive says that the car stands, yet it moves.", "驱动显示停止，但轿厢仍在移动。",
        "Take the lift out of service; check the brake and its adjustment.", "立即停用；检查制动器及其调整。",
    ),
    "levelling_inaccurate": (
        "Levelling again and again", "平层不准",
        "The car relevelled three times within ten minutes.", "十分钟内再平层三次。",
        "Check levelling switches, brake adjustment and ropes.", "检查平层感应器、制动器调整与钢丝绳。",
    ),
    "floor_position_lost": (
        "Floor position lost", "楼层位置丢失",
        "The controller does not know where the car is.", "控制器丢失轿厢楼层位置。",
        "Check shaft switches and encoder; let the lift learn the shaft anew.", "检查井道开关与编码器；重新进行井道自学习。",
    ),
    "restart_prevented": (
        "Kept from running again", "防止电梯再运行故障",
        "A fault of the controller stopped a run, and the lift has not run since.", "控制器故障使电梯停止运行，此后未能再运行。",
        "Read the fault word; mend its cause before resetting.", "读取故障代码；排除原因后再复位。",
    ),
    "battery_low": (
        "Battery low", "备用电池电量低",
        "The battery of the node or of the emergency supply is nearly empty.", "监测终端或应急电源的电池电量低。",
        "Replace or charge the battery; ask why the mains is off.", "更换或充电电池；查明断电原因。",
    ),
    "button_stuck": (
        "Alarm button stuck", "报警按钮卡阻",
        "The alarm button was held for three minutes.", "报警按钮持续按下三分钟。",
        "Call the car; free the button. Until then no further press can be seen.", "先与轿厢通话；修复按钮。在此之前无法识别新的按压。",
    ),
    "presence_stuck": (
        "Presence sensor stuck", "人员传感器卡滞",
        "The sensor saw somebody without a break while the door opened ten times; occupancy counts as unknown.",
        "门开启十次期间传感器始终显示有人；轿内是否有人按未知处理。",
        "Check the presence sensor.", "检查人员传感器。",
    ),
    "input_flickering": (
        "Door-zone signal flickers", "门区信号抖动",
        "The door-zone signal changed six times in a minute while the car stood.", "轿厢静止时门区信号一分钟内变化六次。",
        "Check the door-zone switch, its distance and wiring.", "检查门区感应器、间距与接线。",
    ),
    "work_mode": (
        "Technician at work", "维保作业中",
        "A technician turned the key or had work mode begun; until it ends, faults are kept and told to no city. The alarm button goes out as ever.",
        "维保人员用钥匙或命令开启了作业模式；结束前故障仅保存，不上报城市平台；报警按钮照常上报。",
        "Nothing; it ends by itself.", "无需处理；到时自动结束。",
    ),
    "out_of_service": (
        "Out of service", "进入停止服务",
        "The lift was switched off.", "电梯进入停止服务状态。",
        "None, if it was meant.", "如为人为操作，无需处理。",
    ),
    "inspection": (
        "Inspection", "进入检修运行模式",
        "Someone works on the lift.", "电梯处于检修运行模式。",
        "None, if it was meant.", "如为人为操作，无需处理。",
    ),
    "fire_return": (
        "Fire return", "进入消防返回模式",
        "The fire switch sends the lift to its fire landing.", "消防开关动作，电梯返回消防基站。",
        "Ask the property manager for the cause.", "向物业核实原因。",
    ),
    "firefighter": (
        "Firefighter operation", "进入消防员运行模式",
        "Firefighters drive the lift.", "电梯由消防员操作。",
        "Keep the line free.", "保持通话线路畅通。",
    ),
    "emergency_power": (
        "Emergency power", "进入应急电源运行",
        "The lift runs on its emergency supply.", "电梯由应急电源供电运行。",
        "See that nobody stays in the car.", "确认轿内无人滞留。",
    ),
    "earthquake": (
        "Earthquake mode", "地震模式",
        "The seismic sensor stopped the lift.", "地震传感器动作，电梯停止。",
        "Inspect shaft, rails and counterweight before it runs again.", "恢复运行前检查井道、导轨与对重。",
    ),
    "automatic_restored": (
        "Automatic operation restored", "电梯恢复自动运行模式",
        "The lift is back in normal service.", "电梯恢复正常运行。",
        "None.", "无需处理。",
    ),
    "store_damaged": (
        "Gateway store damaged", "网关存储损坏",
        "A file of the gateway was damaged; a new one was started with all that could be read, the nodes send again what they hold.",
        "网关的一个存储文件损坏；已新建文件并恢复可读数据，监测终端会补发其仍保存的数据。",
        "Check the disk of the gateway; move the damaged file away to end this message.", "检查网关磁盘；将损坏文件移走后此消息自动关闭。",
    ),
    "node_offline": (
        "Node offline", "监测终端离线",
        "Nothing is heard of the node any more; what is shown of its lift is what was known last.",
        "监测终端已无信号；所示电梯状态为最后已知状态。",
        "Check the node's supply and its network; until it is heard again no alarm of this lift can arrive.",
        "检查监测终端的电源与网络；恢复之前，该电梯的报警无法送达。",
    ),
    "area_power_cut": (
        "Power cut over many lifts", "多台电梯停电",
        "Many lifts lost their mains at once, or fell silent after they had. Its members stand in the order in which they are to be looked after.",
        "多台电梯同时停电，或停电后失去信号。成员按处置顺序排列。",
        "Take the members from the top: call each car, release whoever is inside; ask the supplier how long it will last.",
        "按顺序自上而下处置：逐台与轿厢通话并放人；向供电部门了解停电时长。",
    ),
    "area_earthquake": (
        "Earthquake over many lifts", "多台电梯地震模式",
        "The seismic sensors of many lifts stopped them at once. Its members stand in the order in which they are to be looked after.",
        "多台电梯的地震传感器同时动作，电梯停止。成员按处置顺序排列。",
        "Take the members from the top; let no lift run again before its shaft, rails and counterweight were inspected.",
        "按顺序自上而下处置；检查井道、导轨与对重之前，任何电梯不得恢复运行。",
    ),
    "area_silence": (
        "Many nodes silent", "多台监测终端离线",
        "Many nodes fell silent at once, none of them known to be without mains: rather a broker, a router or a network than a power cut.",
        "多台监测终端同时失去信号，此前均未报告停电：多为消息服务器、路由器或网络故障。",
        "Mend the connection; meanwhile no alarm of these lifts can arrive. Members are listed by what was known of them last.",
        "修复网络连接；在此期间这些电梯的报警无法送达。成员按最后已知状态排列。",
    ),
}  # fmt: skip
