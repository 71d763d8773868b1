"""Commands to the nodes, by their gateways' links. What may be asked is the gateway's own list; none of it moves a lift."""

from dataclasses import dataclass
from typing import Any, Literal

from cloud.gateways.links import GatewayLinks, NoGateway
from protocols.codes import ALARM_STEPS

Outcome = Literal["done", "refused", "no_node", "no_gateway"]


@dataclass(frozen=True)
class CarAnswer:
    """What became of it: `done`, `refused` by the node or the gateway, or no word of the node or of the gateway. `detail` is English."""

    outcome: Outcome
    detail: str

    @property
    def ok(self) -> bool:
        """The car is told."""
        return self.outcome == "done"


async def tell_car(links: GatewayLinks, gateway: str, lift: str, alarm: str, eta_min: int | None = None) -> CarAnswer:
    """Have the car of `lift` show how far help has come; an answer within links.QUERY_S, whatever fails.

    `alarm` is one of ALARM_STEPS (ValueError else), `eta_min` of "coming" alone. "ended" also ends the alarms that are open there:
    it is for who knows that nobody is in danger any more. The same said again changes nothing.
    """
    if alarm not in ALARM_STEPS:
        raise ValueError(f"alarm {alarm[:40]!r}; there is {', '.join(ALARM_STEPS)}")
    args: dict[str, Any] = {"alarm": alarm}
    if alarm == "coming" and eta_min is not None:
        args["eta_min"] = eta_min
    try:
        found = await links.query(gateway, {"what": "command", "lift": lift, "command": "car", "args": args})
    except NoGateway:
        return CarAnswer("no_gateway", f"gateway {gateway} is not connected")
    except TimeoutError:
        return CarAnswer("no_gateway", f"gateway {gateway} does not answer")
    if found.get("ok") is True:
        return CarAnswer("done", str(found.get("detail", ""))[:300])
    # `error`: a gateway of an earlier version, or one that does not know the lift.
    outcome: Outcome = "no_node" if found.get("unanswered") is True else "refused"
    return CarAnswer(outcome, str(found.get("detail") or found.get("error") or "refused without a word")[:300])
