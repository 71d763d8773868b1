"""Who works with the demo's lifts: invented organisations and people, one for each kind of screen, and whose the lifts are."""

import pathlib
import urllib.parse
from collections.abc import Callable
from typing import Any

DISTRICT = "330106"
CITY = "3301"
CONTRACTOR = "安达维保"
STATION = "古荡网格救援站"
MANAGER = "荷芳苑物业"
DESK = "96333 应急处置中心"
# Kind, name and district.
ORGANISATIONS = (
    ("contractor", CONTRACTOR, ""),
    ("contractor", STATION, ""),
    ("property_manager", MANAGER, ""),
    ("rescue_centre", DESK, CITY),
    ("regulator", "西湖区市场监管局", DISTRICT),
)
# What the demo calls him, sign-in name, name, organisation, role, telephone (invented).
PEOPLE = (
    ("contractor", "li.na", "李娜", CONTRACTOR, "dispatcher", "13000000001"),
    ("technician", "wang.qiang", "王强", CONTRACTOR, "technician", "13000000002"),
    ("station", "zhou.tao", "周涛", STATION, "technician", "13000000003"),
    ("desk", "chen.jing", "陈静", DESK, "dispatcher", "13000000004"),
    ("manager", "zhao.min", "赵敏", MANAGER, "viewer", "13000000005"),
    ("regulator", "sun.li", "孙立", "西湖区市场监管局", "inspector", "13000000006"),
)

# For `liftwatch cloud --rescue`; all limits are its defaults.
RESCUE = f'[district.{CITY}]\ndesk = "{DESK}"\nstation = "{STATION}"\n'


def admin_steps(files: Callable[[str], pathlib.Path], url: str) -> list[str]:
    """Arguments of `liftwatch cloud admin` that make all of them, each with a sign-in link written to `files(who)`."""
    out: list[str] = []
    for kind, name, district in ORGANISATIONS:
        out += ["organisation", *(("--district", district) if district else ()), kind, name]
    for who, sign_in_name, name, organisation, role, phone in PEOPLE:
        out += ["person", "--phone", phone, sign_in_name, name, organisation, role]
        out += ["link", "--sign-in", "--url", url, "--file", str(files(who)), sign_in_name]
    return out


def assign(lifts: list[str], get: Callable[[str], Any], put: Callable[[str, dict[str, Any]], Any]) -> None:
    """Say whose the lifts are, by the API."""
    ids = {found["name"]: found["id"] for found in get("/api/v1/organisations")}
    body = {"contractor": ids[CONTRACTOR], "manager": ids[MANAGER], "district": DISTRICT}
    for lift in lifts:
        put(f"/api/v1/lifts/{urllib.parse.quote(lift)}/assignment", body)
