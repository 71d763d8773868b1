"""Words for a lift's health, Chinese and English: parts, usage, reasons and levels. For documents, pages and people; the node never imports it."""

# fmt: off
# part: (title en, title zh, what it means en, zh, what to do en, zh)
PARTS = {
    "door_1_opening": (
        "Door 1: opening time", "前门开门时间",
        "From the first sign of opening to fully open, as the controller tells it; a poll of the bus is the precision.",
        "从开始开门到开门到位的时间，以控制器信号为准，精度为一次总线轮询。",
        "Clean and check sill, rollers, belt and operator; compare the speed settings with those at commissioning.",
        "清洁并检查地坎、门轮、皮带和门机，核对门机速度参数与投运时是否一致。",
    ),
    "door_1_closing": (
        "Door 1: closing time", "前门关门时间",
        "From the first sign of closing to closed, of those closings that nobody stopped.",
        "从开始关门到关门到位的时间，仅计未被打断的关门。",
        "Check sill, rollers, closing weight or spring and operator; below 2 s check the closing force.",
        "检查地坎、门轮、重锤或弹簧及门机；低于 2 秒时检查关门力。",
    ),
    "door_2_opening": (
        "Door 2: opening time", "后门开门时间",
        "As of door 1.", "同前门。",
        "As of door 1.", "同前门。",
    ),
    "door_2_closing": (
        "Door 2: closing time", "后门关门时间",
        "As of door 1.", "同前门。",
        "As of door 1.", "同前门。",
    ),
    "door_reversals": (
        "Door reversals", "关门反转",
        "Closings that turned into openings, per 1,000 times that a door came fully open. People do it too: what counts is more than usual.",
        "每开门到位 1000 次中关门转为开门的次数。乘客也会造成反转，应与平时比较。",
        "Clean and align the light curtain, look for objects in the sill, check the closing-force limiter.",
        "清洁并校准光幕，检查地坎有无异物，检查关门力限制装置。",
    ),
    "levelling": (
        "Levelling", "平层精度",
        "How far from its landing the car comes to rest: nine of ten stops are nearer. A landing is where the lift's own first stops were.",
        "轿厢停靠时与层站的距离，十次中九次小于该值；层站位置由本梯最初的停靠得出。",
        "Check levelling switches or encoder, brake and stopping settings; look for slipping or lengthened ropes.",
        "检查平层感应器或编码器、制动器和停车参数，检查曳引绳有无打滑或伸长。",
    ),
    "relevellings": (
        "Relevellings", "再平层",
        "Times that the car levelled again with its door open, per 1,000 stops.",
        "每停站 1000 次中开着门再次平层的次数。",
        "Check stopping accuracy and brake; where heavy goods are moved some are normal.",
        "检查停车精度和制动器；常搬运重物时少量属正常。",
    ),
    "zone_flickers": (
        "Door-zone switch", "门区开关",
        "Changes of the door-zone signal while the car stood with its doors shut, per 1,000 stops: a car that stands leaves no zone.",
        "轿厢静止且门已关闭时门区信号的变化次数，每停站 1000 次计；静止的轿厢不会离开门区。",
        "Check the door-zone sensor, its vane, its cable and connector.",
        "检查门区感应器、隔光板及其电缆和接插件。",
    ),
    "failed_starts": (
        "Failed starts", "启动失败",
        "Starts after which the car did not move, per 1,000 starts.",
        "每启动 1000 次中轿厢未移动的次数。",
        "Check brake release, contactors, door-lock contacts and the drive's fault memory.",
        "检查制动器松闸、接触器、门锁触点，并查看变频器故障记录。",
    ),
    "trip_time": (
        "Trip time", "运行时间余量",
        "What a long trip takes beyond distance divided by rated speed: acceleration, slowing down and delays.",
        "较长行程的运行时间减去行程除以额定速度所得的余量，即加减速与延时。",
        "Look for a changed curve or reduced speed, a dragging brake, creeping before the landing.",
        "检查运行曲线是否改变、是否降速、制动器是否拖滞、平层前是否爬行。",
    ),
    "out_of_order": (
        "Standing with a fault word", "故障停梯时间",
        "Share of the time in automatic operation in which the lift stood with a fault word of its controller.",
        "自动运行期间轿厢停止且控制器有故障码的时间占比。",
        "Work through the fault words of the lift in the order of their frequency.",
        "按出现频次逐一处理本梯的故障码。",
    ),
    "faults": (
        "Faults", "故障率",
        "Incidents that were failures of the lift, per 1,000 starts of the last four weeks.",
        "最近四周每启动 1000 次中属于电梯自身失效的事件数。",
        "Look at the lift's incidents: which come again, and what they have in common.",
        "查看本梯事件列表，找出重复发生的事件及其共同点。",
    ),
    "no_data": (
        "Time without data", "无数据时间",
        "Share of the time without records of the node or without an answer of the controller. Then nothing else is known either.",
        "节点无记录或控制器无应答的时间占比；此时其他情况也无从得知。",
        "Check the bus cable to the controller, the node's supply and its network.",
        "检查至控制器的总线电缆、节点电源和网络。",
    ),
    "ropes": (
        "Ropes: bends of their life", "曳引绳弯折寿命",
        "Bends of the most used place of the ropes since they were changed, as a share of a life of so many. Reckoned, not measured.",
        "曳引绳自更换以来使用最多处的弯折次数占寿命次数的比例。为推算值，非测量值。",
        "Have the ropes inspected for broken wires and diameter, and plan their change.",
        "检查曳引绳断丝和直径，并安排更换。",
    ),
}

USAGE = {
    "starts": ("Starts", "启动次数"),
    "door_cycles": ("Door openings", "开门次数"),
    "running_minutes": ("Running time", "运行时间"),
    "travel_m": ("Travel", "运行里程"),
    "rope_bends": ("Rope bends", "曳引绳弯折次数"),
    "other_mode_minutes": ("Locked, at work, fire", "锁梯、作业、消防"),
    "no_mains_minutes": ("Without mains", "停电"),
}

# Why a part or the whole is not known. In braces: what the gateway gives with the reason.
REASONS = {
    "days": ("Only {have} of {need} days so far.", "目前只有 {have} 天数据，需要 {need} 天。"),
    "few": ("Only {have} of {need} {fields} in that time.", "该时段内只有 {have} 次（{fields}），需要 {need} 次。"),
    "no_data": ("No data in the last {need} days.", "最近 {need} 天没有数据。"),
    "not_told": ("This lift's controller does not tell: {fields}.", "本梯控制器未提供：{fields}。"),
    "coarse": (
        "The position is told in steps of {step} mm: where the car stops within {need} mm nobody can say.",
        "轿厢位置以 {step} mm 为步长，无法判断 {need} mm 以内的停靠偏差。",
    ),
    "no_incidents": ("Nobody keeps this lift's incidents here.", "此处没有本梯的事件记录。"),
    "counter": (
        "The counter of starts shows {have}, the ropes were changed at {need}: one of them is wrong.",
        "启动计数为 {have}，而记录的换绳时计数为 {need}，两者必有一误。",
    ),
    "little": (
        "Only {have} % of the weight is known, {need} % are needed for a score.",
        "仅有 {have}% 的权重已知，评分需要 {need}%。",
    ),
}

# What is counted over.
OCCASIONS = {
    "openings": ("openings", "开门"), "closings": ("closings", "关门"), "cycles": ("door openings", "开门到位"),
    "stops": ("stops", "停站"), "starts": ("starts", "启动"), "trips": ("long trips", "长行程"), "hours": ("hours", "小时"),
}

LEVELS = {"good": ("good", "良好"), "watch": ("watch", "关注"), "act": ("act", "处理")}
# fmt: on
