"""The car's two lamps and its voice: what tells a person inside how far help has come. Any of them may be None; it decides nothing."""

from protocols.car import GREEN_FROM, YELLOW_FROM, AlarmSign


class Car:
    """`yellow` and `green` are pins, `voice` takes a line of text for a module that speaks."""

    def __init__(self, yellow, green, voice):
        self._outputs = yellow, green, voice
        self.sign = AlarmSign()
        self._light(0)

    def _light(self, shown):
        yellow, green, _ = self._outputs
        if yellow is not None:
            yellow.value(int(shown >= YELLOW_FROM))
        if green is not None:
            green.value(int(shown >= GREEN_FROM))

    def show(self, level, now):
        """As AlarmSign.look; returns the field `alarm_shown`: None where there is nothing to show it by."""
        sign = self.sign
        if sign.look(level, now):
            self._light(sign.shown)
            voice = self._outputs[2]
            if voice is not None:
                voice(sign.text.encode() + b"\n")
        return None if self._outputs == (None, None, None) else sign.shown

    def told(self):
        """What a person in the car is told now, in words."""
        yellow, green, voice = self._outputs
        shown = self.sign.shown
        return "%s; %s lamp, %s lamp, %s" % (
            self.sign.text,
            "no yellow" if yellow is None else "yellow" if shown >= YELLOW_FROM else "dark yellow",
            "no green" if green is None else "green" if shown >= GREEN_FROM else "dark green",
            "no voice" if voice is None else "said",
        )
