"""ETags: who asks again with If-None-Match is told that nothing has changed, in place of being sent it all again."""

import hashlib
from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute


class Tagged(APIRoute):
    """A route whose answers to GET have an ETag of their content; what changes with each moment is no use with one."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """As it is, and the tag."""
        answer_of = super().get_route_handler()

        async def tagged(request: Request) -> Response:
            answer = await answer_of(request)
            if request.method != "GET" or answer.status_code != 200 or "etag" in answer.headers:
                return answer
            tag = f'"{hashlib.blake2b(bytes(answer.body), digest_size=12).hexdigest()}"'
            answer.headers["ETag"] = tag
            wanted = [found.strip().removeprefix("W/") for found in request.headers.get("if-none-match", "").split(",")]
            if tag in wanted or "*" in wanted:
                kept = {name: answer.headers[name] for name in ("etag", "link") if name in answer.headers}
                return Response(status_code=304, headers=kept)
            return answer

        return tagged
