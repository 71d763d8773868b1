"""The pages of administration, and who may open which."""

from cloud.accounts.roles import Permission
from cloud.accounts.scope import Scope

SECTIONS: tuple[tuple[str, str, Permission], ...] = (
    ("/manage/people", "people", "people.manage"),
    ("/manage/organisations", "organisations", "organisations.manage"),
    ("/manage/lifts", "lifts", "lifts.assign"),
    ("/manage/tokens", "tokens", "tokens.manage"),
    ("/manage/channels", "channels", "channels.manage"),
    ("/manage/log", "log", "audit.read"),
)


def sections_of(scope: Scope) -> list[tuple[str, str]]:
    """(path, key of its text) of the pages that somebody may open."""
    return [(path, key) for path, key, permission in SECTIONS if scope.may(permission)]
