"""What can go wrong in shared code, as one tree. It holds exceptions only.

ContractError            base: something broke the contract between the parts
    SettingsError        a setting is missing or out of range: the owner of the file must mend it
    EncodeError          we tried to send what the contract does not allow: a bug of ours
    DecodeError          the peer sent what the contract does not allow: counted, quarantined, never fatal
"""


class ContractError(Exception):
    """Something broke the contract between the parts; the children say who has to act."""


class SettingsError(ContractError):
    """A setting is missing, of the wrong type or out of its range."""


class EncodeError(ContractError):
    """A value of ours does not fit the contract: a bug on this side."""


class DecodeError(ContractError):
    """A payload of the peer does not fit the contract: count it and go on."""
