"""Random histories of two people and a guest on shared devices."""

import random
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from snap_pipeline_tests.identity.oracle import Moment
from snap_pipeline_tests.identity.stories import digest

HOURS, EVENTS = 5, 24
DEVICES = ("phone", "laptop", "tablet")
PEOPLE = ("ann", "bob")


@dataclass(frozen=True)
class History:
    """Events of a few people and devices, which no other history shares."""

    seed: int
    moments: list[Moment]

    @property
    def owners(self) -> Mapping[str, str]:
        """The person behind each identifier that a payload may carry."""
        return {
            digest(value) if "@" in value or value.isdigit() else value: person
            for person in PEOPLE
            for value in (
                named(self.seed, person),
                named(self.seed, f"{person}-2"),
                email_of(self.seed, person),
                phone_of(self.seed, person),
            )
        }


def named(seed: int, name: str) -> str:
    """Return an id that is unique to a history."""
    return f"{name}-of-{seed}"


def email_of(seed: int, person: str) -> str:
    """Return a person's only e-mail address."""
    return f"{named(seed, person)}@example.com"


def phone_of(seed: int, person: str) -> str:
    """Return a person's only phone number, as digits."""
    return f"4477{('ann', 'bob', 'guest').index(person)}{seed:07}"


def history(seed: int) -> History:
    """Generate five hours on three devices; some events are late-arriving, by whole hours."""
    chance = random.Random(seed)
    moments = []
    for number, minute in enumerate(chance.sample(range(HOURS * 60), EVENTS)):
        landed = min(minute // 60 + chance.choice((0, 0, 0, 1, 2)), HOURS - 1)
        device, person = named(seed, chance.choice(DEVICES)), chance.choice(PEOPLE)
        user, choice = named(seed, person), chance.choice(("denied", "granted"))
        contact = {
            "email": email_of(seed, person) if chance.random() < 0.5 else None,
            "phone": phone_of(seed, person) if chance.random() < 0.5 else None,
        }
        fields: Mapping[str, Any]
        (fields,) = chance.choices(
            (
                {"device": device},
                {"device": device, "click": f"click-{number}"},
                {"device": device, "user": user, **contact},
                {"user": user, **contact},
                {"device": device, "email": email_of(seed, "guest"), "phone": phone_of(seed, "guest")},
                {"device": device, "consent": choice},
                {"device": device, "user": user, "consent": choice},
                {"previous": named(seed, "ann"), "user": named(seed, "ann-2")},
                {"previous": named(seed, "ann-2"), "user": named(seed, "ann")},
                # An anonymous id with the text of a user id is no sign of that person.
                {"device": user},
            ),
            (6, 3, 4, 2, 1, 1, 1, 0.3, 0.2, 0.3),
        )
        moments.append(Moment(f"{seed}-{number}", minute, landed, **fields))
    return History(seed, moments)


def as_event(moment: Moment, happened: datetime) -> Mapping[str, Any]:
    """Return the event as it lands."""
    event = {
        "event_id": moment.event_id,
        "event_name": "alias" if moment.previous else "view_item",
        "type": "alias" if moment.previous else "track",
        "event_timestamp": happened.isoformat(),
        "anonymous_id": moment.device,
        "user_id": moment.user,
        "previous_id": moment.previous,
        "email": moment.email,
        "phone": f"+{moment.phone}" if moment.phone else None,
        "click_ids": {"ScCid": moment.click} if moment.click else None,
        "consent": {"ads": moment.consent} if moment.consent else None,
        "ip_address": "192.0.2.7",
        "user_agent": "Mozilla/5.0 (X11; Linux x86_64)",
    }
    return {name: value for name, value in event.items() if value is not None}
