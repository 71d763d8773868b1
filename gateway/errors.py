"""What can go wrong in the gateway.

GatewayError
    ConfigError      gateway.toml or a city file is wrong: the operator must mend it; says where
    Refused          a destination refused for good: repeating would not help
    EvidenceError    there is no such incident, or a file is no evidence; says what to do
    ExportError      the local log cannot be read; says what to do
    NotDelivered     a destination did not answer, or asks to try later
"""


class GatewayError(Exception):
    """Base of the gateway's errors."""


class ConfigError(GatewayError):
    """A configuration file is missing or wrong; the text names the file and the entry."""


class Refused(GatewayError):
    """The destination refused this message for good."""


class EvidenceError(GatewayError):
    """An incident or a file from which no evidence can be had; the text says what to do."""


class ExportError(GatewayError):
    """The local log cannot be read."""


class NotDelivered(GatewayError):
    """No receipt: try again later."""
