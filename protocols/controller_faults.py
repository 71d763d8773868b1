"""Fault words of lift controllers: which national code a controller's own number stands for. Numbers only; it detects nothing.

What the words mean is told in controller_fault_texts, which the node does not carry. A word belongs to a register profile:
the same number means another thing in another controller.
"""

# profile: {word: national code of the 2017 list}. Words without a national code stand in the texts only.
NATIONAL_CODES = {
    "nice3000": {
        26: 47,  # ours: the seismic contact is what starts the earthquake mode
        30: 7,  # ours: the car's position is lost; a public server has 58 only
        40: 6,  # ours: the run-time limiter; a public server has a number of its own
        41: 1,  # as a public server; national 1 means while running, which the word alone does not say
        48: 3,
        49: 2,
        58: 7,
        65: 5,
    },
}
NO_FAULT = 0


def national_code(word: int | None, profile: str | None = "nice3000") -> int | None:
    """The national code that fault word `word` of `profile` stands for; None if it has none or either is unknown."""
    codes = NATIONAL_CODES.get(profile) if profile is not None else None
    return codes.get(word) if codes is not None and word is not None else None
