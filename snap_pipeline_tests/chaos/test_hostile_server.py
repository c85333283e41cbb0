"""A server with random wrong answers: no event is lost, and none counts as delivered that was not."""

import hashlib
import json
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest

from snap_pipeline.capi import client
from snap_pipeline.capi.access_token import AccessToken
from snap_pipeline.capi.answers import Category
from snap_pipeline.capi.session import ApiSession
from snap_pipeline.delivery import batches
from snap_pipeline.destinations.destination import ApiVersion
from snap_pipeline_tests.chaos.conftest import Chaos
from snap_pipeline_tests.delivery.conftest import Delivery, set_patience
from snap_pipeline_tests.hostile_server import Connection, hostile_server
from snap_pipeline_tests.leaks import leaks_of
from snap_pipeline_tests.project import HOUR, Project

TOKEN = "eyJhbGciOiJIUzI1NiJ9.bm9ib2R5LW1heS1zZWUtdGhpcw.c2lnbmVkLWJ5LW5vYm9keS1hdC1hbGw"
EVENTS = 24
STATES = ("delivered", "rejected", "pending", "in_doubt")
PLEAS = (b"0", b"-1", b"nan", b"inf", b"1e999", b"315360000", b"soon", b"Fri, 31 Dec 2066 23:59:59 GMT", b"\xff")
STATUSES = ("200 OK", "202 Fine", "204 Empty", "400 Bad", "401 No", "403 No", "404 Where", "408 Late", "413 Big")
STATUSES += ("429 Slow", "500 Ill", "503 Ill", "307 Away", "103 Hints", "600 Beyond", "999 Last")
ODD_BODIES = (
    b"",
    b"\xff\xfe\x00",
    b"[]",
    b"null",
    b'{"status":',
    b'{"status": "VALID", "event": "1"}',
    b'{"status": "SUCCESS", "error_records": [7]}',
    b'{"status": "SUCCESS", "error_records": [{"record_indexes": ["1", null, 1e400]}]}',
    b'{"status": "SUCCESS", "error_records": [{"record_indexes": [-1, 99999999999999999999]}]}',
    b'{"status": "VALID", "event": 99999999999999999999}',
    b'{"status": "VALID", "event": NaN, "event": -Infinity}',
    b'{"status": "INVALID", "reason": "[/data/0/custom_data] \\ud800 \\u0000 \\u001b[31m"}',
    b'{"status": {"status": "VALID"}}',
    b"[" * 50_000,
    b'{"reason": ' + b"9" * 5_000 + b"}",
    b"<html><body>Please sign in</body></html>",
)


class Server:
    """The server's answer to each request, by seed, body and repetition, and the events that it truly took.

    Attributes:
        is_well: whether it answers as Snap does.
        taken: ids of events that an answer said were taken.
        done: how often it did what.
    """

    def __init__(self, seed: int, version: ApiVersion) -> None:
        self.seed, self.version = seed, version
        self.is_well = False
        self.taken: set[str] = set()
        self.done: Counter[str] = Counter()
        self._times: Counter[bytes] = Counter()
        self._lock = threading.Lock()

    def __call__(self, connection: Connection) -> None:
        body = json.loads(connection.body)
        events = body["data"] if self.version == "v3" else body
        ids = [event.get("event_id") or event["client_dedup_id"] for event in events]
        with self._lock:
            digest = hashlib.sha256(connection.body).digest()
            self._times[digest] += 1
            chance = random.Random(f"{self.seed} {ids} {self._times[digest]}")
        if self.is_well or chance.random() < 0.25:
            self._take(ids)
            connection.reply("200 OK", b'{"status": "VALID", "reason": "Events have been processed successfully."}')
            return
        hostility = chance.choice(self._hostilities())
        with self._lock:
            self.done[hostility.__name__.strip("_")] += 1
        hostility(connection, chance, ids)

    def _take(self, ids: list[str]) -> None:
        with self._lock:
            self.taken.update(ids)

    def _hostilities(self) -> tuple[Callable[[Connection, random.Random, list[str]], None], ...]:
        return (
            self._odd,
            self._odd,
            self._echo,
            self._echo,
            self._half,
            self._drip,
            self._reset,
            self._silence,
            self._garbage,
            self._names,
            self._plea,
        )

    def _odd(self, connection: Connection, chance: random.Random, _: list[str]) -> None:
        connection.reply(chance.choice(STATUSES), chance.choice(ODD_BODIES), "Location: http://[::1", "X: \udcff")

    def _echo(self, connection: Connection, chance: random.Random, _: list[str]) -> None:
        """Return the request's address, and for v2 its headers with the token, to be put wherever there is room."""
        words = connection.target + connection.head[: chance.choice((0, 4_000))]
        words = chance.choice((words, words.replace("=", "%3D"), words[: len(words) // 2], json.dumps(words)))
        line = " ".join(words.split())
        body = chance.choice((words, json.dumps({"status": chance.choice(("VALID?", "INVALID")), "reason": words})))
        status = chance.choice(("400", "500", "401", "429", "200" if "VALID" not in body else "400"))
        connection.reply(f"{status} {line}", body.encode(), f"X-Request: {line}", f"Retry-After: {line}")

    def _half(self, connection: Connection, chance: random.Random, _: list[str]) -> None:
        answer = b'HTTP/1.1 200 OK\r\nContent-Length: 19\r\n\r\n{"status": "VALID"}'
        connection.send(answer[: chance.randrange(len(answer))])
        connection.socket.close()

    def _drip(self, connection: Connection, chance: random.Random, _: list[str]) -> None:
        start = (b"", b"HTTP/1.1 200 OK\r\nX: ", b"HTTP/1.1 429 Slow\r\nContent-Length: 999999\r\n\r\n")
        connection.send(chance.choice(start))
        connection.drip(chance.choice((b" ", b"HTTP/1.1 100 Continue\r\n\r\n", b"\r\n")), pause=0.02)

    def _reset(self, connection: Connection, *_: Any) -> None:
        connection.reset()

    def _silence(self, connection: Connection, *_: Any) -> None:
        connection.ended.wait(2)
        connection.socket.close()

    def _garbage(self, connection: Connection, chance: random.Random, _: list[str]) -> None:
        connection.send(chance.choice((chance.randbytes(400), b"HTTP/1.1 2000 OK\r\n\r\n", b"HTTP/1.1\r\n" * 400)))
        connection.socket.close()

    def _names(self, connection: Connection, chance: random.Random, ids: list[str]) -> None:
        """Return a refusal of one record in Snap's format; with v2 the others are taken."""
        place = chance.randrange(len(ids))
        if self.version == "v3":
            connection.reply("400 Bad", json.dumps({"status": "INVALID", "reason": "no", "event": place + 1}).encode())
            return
        self._take(ids[:place] + ids[place + 1 :])
        records = [{"reason": "no", "record_indexes": [place]}]
        connection.reply("200 OK", json.dumps({"status": "PARTIAL", "error_records": records}).encode())

    def _plea(self, connection: Connection, chance: random.Random, _: list[str]) -> None:
        plea = chance.choice(PLEAS).decode("utf-8", "surrogateescape")
        connection.reply("429 Slow", b"", f"Retry-After: {plea}")


@pytest.fixture(autouse=True)
def haste(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shorten deadlines and pauses to a hundredth, and make batches small."""
    monkeypatch.setattr(client, "CONNECT_SECONDS", 1.0)
    monkeypatch.setattr(client, "ANSWER_SECONDS", 0.3)
    monkeypatch.setattr(batches, "MAXIMUM_EVENTS", 4)
    set_patience(monkeypatch, 0.5)
    slow_down = ApiSession.slow_down
    monkeypatch.setattr(ApiSession, "slow_down", lambda session, seconds: slow_down(session, seconds / 100))


@pytest.fixture(params=["v3", "v2"])
def server(request: pytest.FixtureRequest, chaos: Chaos) -> Iterator[tuple[Server, str]]:
    with hostile_server(behaviour := Server(chaos.seed, request.param)) as running:
        yield behaviour, running.url


def test_whatever_a_server_says_no_event_is_lost_and_none_is_made_up(
    project: Project, server: tuple[Server, str], chaos: Chaos
) -> None:
    behaviour, url = server
    delivery = Delivery(project)
    shop = project.add_destination(base_url=url, api_version=behaviour.version, token=AccessToken(TOKEN))
    sent: set[str] = set()
    slowest, outcomes, categories = 0.0, Counter[str](), Counter[str]()
    rounds = chaos.rounds(2)
    for each in rounds:
        hour = HOUR - timedelta(hours=each % 200)
        sent.update(delivery.make_payloads(EVENTS, hour, prefix=f"r{each}-"))
        for _ in range(2):
            started = time.monotonic()
            report = delivery.dispatch(shop, hour)
            slowest = max(slowest, time.monotonic() - started)
            assert sum(report.count(state) for state in STATES) == sum(report.counts.values()) == EVENTS
            outcomes.update({state: report.count(state) for state in STATES})
            categories.update(report.stats.categories)
            assert TOKEN not in f"{report}"
        delivered = delivery.rows("delivery_receipts", "event_id, outcome")
        assert {event_id for event_id, outcome in delivered if outcome == "delivered"} <= behaviour.taken
    assert leaks_of(TOKEN, project.settings.home) == []

    behaviour.is_well = True
    for each in rounds:
        report = delivery.dispatch(shop, HOUR - timedelta(hours=each % 200), retry_rejected=True)
        assert (report.count("delivered"), report.is_complete) == (EVENTS, True)
    assert sent <= behaviour.taken
    assert set(categories) <= {each.value for each in Category}
    chaos.figures(
        version=behaviour.version,
        events=len(sent),
        slowest_dispatch_seconds=round(slowest, 1),
        answers={str(name): count for name, count in categories.items()},
        hostility=dict(behaviour.done),
        states=dict(outcomes),
    )
