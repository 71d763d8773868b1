"""Why an account's service says no. Each has a key in cloud.pages.texts, so that pages say it in both languages.

AccountError
├── Refused      it cannot be done so: 409 or 422
├── NotThere     there is none, or none that this scope may know of: 404
├── NotAllowed   the role does not allow it: 403
└── TooMany      too often; again in `retry_s`: 429
"""

from typing import ClassVar


class AccountError(Exception):
    """The base; `status` is the HTTP status that says it."""

    status: ClassVar[int] = 500

    def __init__(self, key: str, detail: str = "") -> None:
        super().__init__(detail or key)
        self.key = key
        self.detail = detail


class Refused(AccountError):
    """It cannot be done so."""

    status: ClassVar[int] = 422


class Conflict(Refused):
    """It is there already, or was changed meanwhile."""

    status: ClassVar[int] = 409


class NotThere(AccountError):
    """There is none that this scope may know of."""

    status: ClassVar[int] = 404


class NotAllowed(AccountError):
    """The role does not allow it."""

    status: ClassVar[int] = 403


class TooMany(AccountError):
    """Too often."""

    status: ClassVar[int] = 429

    def __init__(self, key: str, retry_s: int) -> None:
        super().__init__(key, f"again in {retry_s} s")
        self.retry_s = retry_s
