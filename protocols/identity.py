"""Names of sites, lifts, topics, clients and incidents. It holds no behaviour beyond making and checking them.

Registration code, device code and rescue code are attributes of the lift record: none of them occurs here.
"""

from protocols.errors import DecodeError, SettingsError

CONTRACT_VERSION = 1

UP_KINDS = ("state", "event", "log", "link", "reply")
DOWN_KINDS = ("ack", "cmd")

MAX_ID_LENGTH = 32
_ID_CHARACTERS = "abcdefghijklmnopqrstuvwxyz0123456789-"
# "lift/1/" + two ids + the longest kind + separators: nothing longer can be ours.
MAX_TOPIC_LENGTH = 7 + 2 * (MAX_ID_LENGTH + 1) + 5


def is_id(text: object) -> bool:
    """True if `text` is a site or lift id: 1 to 32 of a-z, 0-9 and '-'."""
    if not isinstance(text, str) or not 1 <= len(text) <= MAX_ID_LENGTH:
        return False
    return all(c in _ID_CHARACTERS for c in text)


def check_id(text: str, what: str) -> str:
    """Return `text` if it is an id; raise SettingsError naming `what` otherwise."""
    if not is_id(text):
        raise SettingsError("%s: %r is no id; use 1 to 32 of a-z, 0-9 and '-'" % (what, text))
    return text


def topic(site: str, lift: str, kind: str) -> str:
    """The MQTT topic of one kind of message of one lift."""
    return "lift/%d/%s/%s/%s" % (CONTRACT_VERSION, site, lift, kind)


def subscription(kind: str) -> str:
    """The topic filter that matches one kind of message of all lifts."""
    return "lift/%d/+/+/%s" % (CONTRACT_VERSION, kind)


def parse_topic(text: str) -> tuple[str, str, str]:
    """Return (site, lift, kind); raise DecodeError if the topic is not of this contract version."""
    parts = text.split("/") if len(text) <= MAX_TOPIC_LENGTH else ()
    if len(parts) != 5 or parts[0] != "lift" or parts[1] != str(CONTRACT_VERSION):
        raise DecodeError("topic %r is not lift/%d/{site}/{lift}/{kind}" % (text[:80], CONTRACT_VERSION))
    if not is_id(parts[2]) or not is_id(parts[3]):
        raise DecodeError("topic %r: site or lift is no id" % text)
    if parts[4] not in UP_KINDS and parts[4] not in DOWN_KINDS:
        raise DecodeError("topic %r: unknown kind" % text)
    return parts[2], parts[3], parts[4]


def client_id(site: str, lift: str) -> str:
    """The MQTT client id of a node. It is fixed, so that a new session takes the old one over at once."""
    return "lift-%s-%s" % (site, lift)


def event_id(lift: str, boot: int, number: int) -> str:
    """The id of an incident, the same from the node to the city: lift, boot counter, number in that boot."""
    return "%s-%d-%d" % (lift, boot, number)


def parse_event_id(text: object) -> tuple[str, int, int]:
    """Return (lift, boot, number); raise DecodeError if `text` is no incident id."""
    parts = text.rsplit("-", 2) if isinstance(text, str) else ()
    if len(parts) == 3 and is_id(parts[0]) and parts[1].isdigit() and parts[2].isdigit():  # noqa: SIM102  two lines read better
        if len(parts[1]) <= 10 and len(parts[2]) <= 10:
            return parts[0], int(parts[1]), int(parts[2])
    raise DecodeError("%r is no incident id {lift}-{boot}-{n}" % (text,))
