"""Lists by pages: where there may be more, the answer links the next page (RFC 8288), so that who reads on needs to know no order."""

import urllib.parse
from collections.abc import Sequence
from typing import Annotated, Any, TypeVar

from fastapi import Depends, Request, Response

T = TypeVar("T", bound=Sequence[Any])
# Parameters that say where a page begins: a link replaces all of them.
CURSORS = frozenset(("after", "before", "before_ms", "before_id", "before_number"))


class Page:
    """The page that is asked for."""

    def __init__(self, request: Request, response: Response) -> None:
        self._request, self._response = request, response

    def of(self, found: T, limit: int, **cursor: Any) -> T:
        """`found` as it is. A full page links the one behind `cursor`, which is told of its last entry."""
        self._response.headers.update(self.link(found, limit, **cursor))
        return found

    def link(self, found: Sequence[Any], limit: int, **cursor: Any) -> dict[str, str]:
        """The headers alone, for who answers with a response of his own."""
        if len(found) < limit:
            return {}
        kept = [(name, value) for name, value in self._request.query_params.multi_items() if name not in CURSORS]
        query = urllib.parse.urlencode([*kept, *cursor.items()])
        return {"Link": f'<{self._request.url.path}?{query}>; rel="next"'}


Pages = Annotated[Page, Depends(Page)]
