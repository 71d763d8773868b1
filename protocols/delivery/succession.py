"""Who was here before: a node that was swapped, or has lost its count, must not use its predecessor's numbers again. No I/O, no clock.

What those numbers name is receipted already: an alarm by one of them would be taken for an old one, and nobody would come.
"""

# How long a connection holds back its events until the gateway has told which boots it knows (ours: many round trips, and an
# alarm never waits longer for a gateway that says nothing).
ASK_MS = 2000
# What NVS holds, less the one that follows.
MAX_BOOT = (1 << 31) - 2


def predecessor(ack: dict, boot: int, life: int, asks: bool, now: int) -> int:
    """The highest boot that the gateway knows of another node in the place of ours, by an `ack` of messages; 0 = there was none.

    `boot` is ours, `life` our log's; `asks`: we have heard nothing in this boot yet, at `now` ms since its beginning,
    and so sent nothing of the log.
    """
    known_life: int
    known_life, number = ack["log"] or (0, 0)
    known: int = max(ack["boot"], known_life)
    if known > MAX_BOOT:
        return 0  # nobody's count
    if known > boot:
        return known
    # What the gateway knows of a log of which we have sent nothing, or of later than now, is not ours.
    is_foreign = ack["boot"] == boot and ack["echo_up_ms"] is not None and ack["echo_up_ms"] > now
    if asks and (is_foreign or (number and known_life == life == boot)):
        return boot
    return 0
