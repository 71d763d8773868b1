"""What the car shows of its alarm: a number by codes.ALARM_STEPS, from which its lamps follow. It knows no pin, no event and no clock."""

from protocols.codes import ALARM_STEPS, DONE

# The lamps in the manner of EN 81-28's pictograms: yellow "alarm sent" from the first number on, green "heard" from the second.
YELLOW_FROM = 1
GREEN_FROM = 2
COMING = 3
# Ours: four hours. What was told outlives the node's own alarm until it is ended; a cloud that is gone never ends it.
TOLD_MS = 14400000


class AlarmSign:
    """What was told, and what the node's own alarms add to it. Yellow waits for nobody."""

    def __init__(self) -> None:
        self.shown = 0
        self.text = ALARM_STEPS[
            0
        ]  # for a voice: the word of what is shown, and in how many minutes help comes where that was told
        self._told = 0
        self._told_text = ""
        self._told_ms = 0
        self._heard = False

    def tell(self, step: int, eta_min: int | None, now: int) -> None:
        """The word at place `step` of ALARM_STEPS was told; 0 ends all that was said. `eta_min` is of "coming" alone."""
        self._told = step
        self._told_text = (
            ALARM_STEPS[step] if step != COMING or eta_min is None else "%s %d" % (ALARM_STEPS[step], eta_min)
        )
        self._told_ms = now
        self._heard = False

    def look(self, level: int | None, now: int) -> bool:
        """Bring `shown` and `text` up to date; True if they changed. `level`: how far the receipts of the alarm open now have come, None where none is open."""
        if level is None:
            self._heard = False
            if now - self._told_ms >= TOLD_MS:
                self._told = 0
            shown = self._told
        else:
            # Once heard it stays so: a further press is a new revision, and begins without receipts.
            self._heard = self._heard or level == DONE
            shown = max(self._told, GREEN_FROM if self._heard else YELLOW_FROM)
        text = self._told_text if shown == self._told else ALARM_STEPS[shown]
        if shown == self.shown and (text == self.text or not shown):
            return False
        self.shown = shown
        self.text = text or ALARM_STEPS[shown]
        return True
