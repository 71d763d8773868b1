"""The lifts of a gateway as area events see them: known ones by site, what is open at each, sorted by when it began. No I/O, no clock."""

import itertools

from gateway.area_causes import CAUSES, Cause
from gateway.area_incident import Car, Strand
from gateway.onsets import Onsets


class Register:
    """One strand for each (cause, lift) of which anything is open or was just now; a car for each lift that has one, or an alarm."""

    def __init__(self) -> None:
        self.sites: dict[str, str] = {}
        self.cars: dict[str, Car] = {}
        self._at_site: dict[str, int] = {}
        self._strands: dict[tuple[str, str], Strand] = {}  # by the cause's area and the lift
        self._onsets = {cause.area: Onsets() for cause in CAUSES}
        self._onsets_at: dict[tuple[str, str], Onsets] = {}

    def known(self, lift: str, site: str) -> None:
        """A lift has been heard of: it could tell, and counts for the share."""
        before = self.sites.get(lift)
        if before == site:
            return
        if before is not None:  # taken up without its record at a start, and heard since
            self._at_site[before] -= 1
        self.sites[lift] = site
        self._at_site[site] = self._at_site.get(site, 0) + 1

    def car(self, lift: str) -> Car:
        """What is known of its car, from now on."""
        return self.cars.setdefault(lift, Car())

    def strand(self, cause: Cause, lift: str) -> Strand | None:
        """Its strand of one cause."""
        return self._strands.get((cause.area, lift))

    def strands_of(self, lift: str) -> list[Strand]:
        """Its strands, in the order of the causes."""
        found = (self._strands.get((cause.area, lift)) for cause in CAUSES)
        return [strand for strand in found if strand is not None]

    def add(self, strand: Strand) -> None:
        """A new one."""
        self.cars.setdefault(strand.lift, strand.car)
        self._strands[strand.cause.area, strand.lift] = strand
        self._onsets[strand.cause.area].add(strand.onset_ms, strand.lift)
        self._onsets_at.setdefault((strand.cause.area, strand.site), Onsets()).add(strand.onset_ms, strand.lift)

    def drop(self, strand: Strand) -> None:
        """It is over, and a member of nothing."""
        del self._strands[strand.cause.area, strand.lift]
        self._onsets[strand.cause.area].remove(strand.onset_ms, strand.lift)
        at_site = self._onsets_at[strand.cause.area, strand.site]
        at_site.remove(strand.onset_ms, strand.lift)
        if not len(at_site):
            del self._onsets_at[strand.cause.area, strand.site]
        self.forget(strand.lift)

    def forget(self, lift: str) -> None:
        """Needs no memory if nothing of it is open."""
        car = self.cars.get(lift)
        if car is not None and not car.alarms and not car.doubts and not self.strands_of(lift):
            del self.cars[lift]

    def onsets(self, cause: Cause, site: str | None) -> Onsets:
        """Of one cause, at one site or at all of them."""
        return self._onsets[cause.area] if site is None else self._onsets_at.get((cause.area, site), Onsets())

    def could(self, low_ms: int, site: str | None) -> int:
        """Lifts that could have told since `low_ms`: those known, without any that had told it, or were dark or silent, before."""
        known = len(self.sites) if site is None else self._at_site.get(site, 0)
        return known - sum(self.onsets(cause, site).before(low_ms) for cause in CAUSES)

    def are_many(self, cause: Cause, site: str | None, low_ms: int, high_ms: int) -> bool:
        """Is what began in that span, at one site or over sites, one incident?"""
        many = cause.gateway if site is None else cause.site
        if self.onsets(cause, site).count(low_ms, high_ms) < many.needed(self.could(low_ms, site)):
            return False
        if site is not None:
            return True
        sites = (at for (area, _), at in self._onsets_at.items() if area == cause.area and at.count(low_ms, high_ms))
        return sum(1 for _ in itertools.islice(sites, many.sites)) == many.sites
