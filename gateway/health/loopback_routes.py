"""What a person at the gateway may ask of the lifts' health, on loopback. It judges nothing."""

import asyncio
import sqlite3

from aiohttp import web

from gateway.health.follower import HealthFollower


def health_routes(follower: HealthFollower) -> list[web.RouteDef]:
    """GET /lift-health?lift=…: report and days of one lift, as the cloud is told them."""

    async def lift_health(request: web.Request) -> web.Response:
        lift = request.query.get("lift", "")
        try:
            found = await asyncio.to_thread(follower.whole, lift)
        except (OSError, sqlite3.Error) as error:
            return web.json_response({"error": f"the days of the lifts cannot be read: {error}"}, status=503)
        if found is None:
            return web.json_response({"error": f"nothing was recorded of a lift {lift[:40]!r}"}, status=404)
        return web.json_response(found)

    return [web.get("/lift-health", lift_health)]
