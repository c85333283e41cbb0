"""Identity resolution in plain Python, event by event: the reference for the SQL.

It uses no partitions, links or SQL. Everybody has one value of each kind here; the stories test which value is newest.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta

CLICK_WINDOW = timedelta(days=28)


@dataclass(frozen=True)
class Moment:
    """One event of a history.

    Attributes:
        event_id: the id of the event.
        minute: its time, in minutes since the history's beginning.
        landed: the number of the hour that it landed in.
        device: the anonymous id.
        user: the user id.
        email: given on the event itself, as are all that follow.
        phone: of the same person as the address.
        click: a click id.
        consent: `denied` or `granted`.
        previous: with an alias, the id that `user` had before.
    """

    event_id: str
    minute: int
    landed: int
    device: str | None = None
    user: str | None = None
    email: str | None = None
    phone: str | None = None
    click: str | None = None
    consent: str | None = None
    previous: str | None = None


@dataclass
class Expected:
    """Expected outcome of an event: its identifiers, or denied consent."""

    denied: bool = False
    identifiers: Mapping[str, str | None] = field(default_factory=dict)


class Oracle:
    """Expected outcomes of the events of one landing hour, from all events that landed until then."""

    def __init__(self, history: Iterable[Moment], landed: int) -> None:
        self._events = sorted((m for m in history if m.landed <= landed), key=lambda m: m.minute)
        self._renamed = {m.previous: m.user for m in self._events if m.previous and m.user and m.previous != m.user}

    def of(self, event: Moment) -> Expected:
        """Return the expected outcome of an event of that hour."""
        subject = self._subject(event)
        consent = event.consent or self._consent(event, subject)
        if consent == "denied":
            return Expected(denied=True)
        about = [m for m in self._events if self._subject(m) == subject and m.consent != "denied"]
        own_emails = {m.email for m in about if m.email and m.user}
        guests = [m.email for m in about if m.email and not m.user]
        accepted = own_emails or set(guests[-1:])
        known = [m for m in about if m.user or not m.email or m.email in accepted]
        if event.email and not event.user and accepted and event.email not in accepted:
            return Expected(identifiers={"em": event.email, "ph": event.phone, "external_id": None,
                                      "sc_click_id": event.click})  # fmt: skip
        clicks = [m.click for m in about if m.click and m.minute < event.minute]
        return Expected(
            identifiers={
                "em": event.email or _last(m.email for m in known),
                "ph": event.phone or _last(m.phone for m in known),
                "external_id": event.user or _last(m.user for m in known),
                "sc_click_id": event.click or _last(clicks),
            }
        )

    def _subject(self, moment: Moment) -> tuple[str, str | None]:
        """Return the subject of an event: its user, else the device's sole owner, else the last person before it."""
        if moment.user:
            return "person", self._current_id(moment.user)
        recognitions = self._recognitions(moment.device)
        owners = {owner for _, owner in recognitions}
        if len(owners) == 1:
            return "person", owners.pop()
        before = [owner for minute, owner in recognitions if minute <= moment.minute]
        return ("person", before[-1]) if before else ("device", moment.device)

    def _recognitions(self, device: str | None) -> list[tuple[int, str]]:
        return [
            (m.minute, self._current_id(m.user))
            for m in self._events
            if m.user and device in (m.device, m.previous) and device is not None
        ]

    def _current_id(self, user: str) -> str:
        chain: list[str] = []
        while user in self._renamed and user not in chain:
            chain.append(user)
            user = self._renamed[user]
        return min(chain[chain.index(user) :]) if user in chain else user

    def _consent(self, event: Moment, subject: tuple[str, str | None]) -> str | None:
        """Return the last choice of the subject; a device that repeats its choice has not made a new one."""
        last: dict[str | None, str] = {}
        state = None
        for m in self._events:
            if m.consent and m.minute <= event.minute and subject in self._choosers(m):
                if last.get(m.device) != m.consent:
                    state = m.consent
                last[m.device] = m.consent
        return state

    def _choosers(self, moment: Moment) -> list[tuple[str, str | None]]:
        """Return the subjects of a choice: its own, and if nobody was recognized yet, the first person after it."""
        subject = self._subject(moment)
        if subject[0] == "person":
            return [subject]
        return [subject, *(("person", owner) for _, owner in self._recognitions(moment.device)[:1])]


def _last(values: Iterable[str | None]) -> str | None:
    given = [value for value in values if value]
    return given[-1] if given else None
