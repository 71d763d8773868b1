"""Why a backup is not made or not restored; each message says what to do.

KeepingError
├── ArchiveError   the file is none of ours, is damaged, or is there already
└── TargetError    the database cannot take it
"""


class KeepingError(Exception):
    """The base."""


class ArchiveError(KeepingError):
    """The file is no backup of ours, is damaged, or is there already."""


class TargetError(KeepingError):
    """The database cannot take a backup."""
