"""The client and servers that drip, lie, repeat the token or answer nonsense: the right answer, never an error."""

import json
import logging
import socket
import threading
import time
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

from snap_pipeline.capi import client, reading
from snap_pipeline.capi.access_token import AccessToken
from snap_pipeline.capi.answers import THROTTLED_RETRIES, Answer, Category
from snap_pipeline.capi.api_version import DIALECTS
from snap_pipeline.capi.client import ConversionsClient
from snap_pipeline.exchange import Response
from snap_pipeline.redaction import Redaction
from snap_pipeline_tests.certificates import self_signed_context
from snap_pipeline_tests.hostile_server import Connection, HostileServer, hostile_server

TOKEN = "eyJhbGciOi.c2VjcmV0L3Nl+Y3JldC9z/ZWNyZXQ.signed-by_nobody=="
VALID = b'{"status": "VALID", "reason": "Events have been processed successfully."}'
DEADLINE = 0.4
PATIENCE_SECONDS = THROTTLED_RETRIES.patience_seconds


@pytest.fixture(autouse=True)
def short_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "ANSWER_SECONDS", DEADLINE)


@pytest.fixture
def server() -> Iterator[HostileServer]:
    with hostile_server(lambda connection: connection.reply("200 OK", VALID)) as running:
        yield running


def ask(server: HostileServer, events: int = 3, version: Any = "v3", url: str | None = None) -> Answer:
    return ConversionsClient(url or server.url, version, AccessToken(TOKEN)).send("pixel", [b"{}"] * events)


HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 400000\r\n\r\n"


@pytest.mark.parametrize(
    ("parts", "category"),
    [
        ([b"HTTP/1.1 200 OK\r\nX-A: "], Category.NO_ANSWER),
        ([b""], Category.NO_ANSWER),
        ([HEAD], Category.UNREADABLE_ANSWER),
        ([b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"], Category.UNREADABLE_ANSWER),
        ([b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 400000\r\n\r\n"], Category.UNAUTHORIZED),
        ([b"HTTP/1.1 307 Moved\r\nLocation: /elsewhere\r\nContent-Length: 400000\r\n\r\n"], Category.NOT_FOUND),
    ],
    ids=["headers", "status line", "body", "chunks", "body of 401", "body of a redirect"],
)
def test_what_drips_ends_at_the_deadline(server: HostileServer, parts: list[bytes], category: Category) -> None:
    def answer(connection: Connection) -> None:
        connection.send(*parts)
        connection.drip(b"1")

    server.answer = answer
    started = time.monotonic()
    assert ask(server).category is category
    # Ten times the deadline, for a slow machine; without one the answer would never have ended.
    assert time.monotonic() - started < 10 * DEADLINE


def test_interim_answers_without_an_end_are_no_answer(server: HostileServer) -> None:
    server.answer = lambda connection: connection.drip(b"HTTP/1.1 100 Continue\r\n\r\n", pause=0)
    assert ask(server).category is Category.NO_ANSWER


def test_the_answer_after_an_interim_one_is_not_taken_for_the_next_requests(server: HostileServer) -> None:
    def answer(connection: Connection) -> None:
        connection.send(b"HTTP/1.1 103 Early Hints\r\n\r\n")
        connection.reply("200 OK", VALID)

    asked = ConversionsClient(server.url, "v3", AccessToken(TOKEN))
    server.answer = answer
    assert asked.send("pixel", [b"{}"]).category is Category.UNREADABLE_ANSWER
    server.answer = lambda connection: connection.reply("401 Unauthorized", b"")
    assert asked.send("pixel", [b"{}"]).category is Category.UNAUTHORIZED


def test_a_handshake_without_an_end_sends_nothing(server: HostileServer) -> None:
    """A TLS record that never becomes whole: nothing was sent, so the events are plainly pending."""

    def drip(connection: socket.socket) -> None:
        connection.sendall(b"\x16\x03\x03\x3f\xff")
        while not server.ended.is_set():
            connection.sendall(b"\x02")
            time.sleep(0.05)

    server.before_request = drip
    started = time.monotonic()
    answer = ask(server, url=server.url.replace("http", "https"))
    assert time.monotonic() - started < 10 * DEADLINE
    assert (answer.category, answer.rule.nothing_taken) == (Category.NO_CONNECTION, True)
    assert server.targets == []


def test_a_handshake_that_breaks_sends_nothing(server: HostileServer) -> None:
    server.before_request = lambda connection: connection.close()
    answer = ask(server, url=server.url.replace("http", "https"))
    assert answer.category is Category.NO_CONNECTION


def test_tls_that_breaks_after_the_request_leaves_it_in_doubt(
    server: HostileServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An error of TLS is no proof that nothing was sent."""
    tls_context = self_signed_context(tmp_path / "server.pem")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "server.pem"))
    received = threading.Event()

    def serve(plain: socket.socket) -> None:
        with tls_context.wrap_socket(plain, server_side=True) as connection:
            connection.recv(65_536)
            received.set()
            raw = socket.socket(fileno=connection.detach())
        raw.sendall(b"\x17\x03\x03\x00\x20" + b"\0" * 32)  # a record that no key of theirs opens
        raw.close()

    server.before_request = serve
    answer = ask(server, url=server.url.replace("http", "https"))
    assert received.is_set()
    assert (answer.category, answer.rule.nothing_taken) == (Category.NO_ANSWER, False)


def test_a_server_that_reads_nothing_is_left_at_the_deadline(server: HostileServer) -> None:
    server.before_request = lambda _: server.ended.wait(10 * DEADLINE)
    big = ConversionsClient(server.url, "v3", AccessToken(TOKEN)).send("pixel", [b" " * 20_000_000])
    assert big.category is Category.NO_ANSWER


ODD: list[tuple[str, bytes]] = [
    ("number as a record", b'{"status": "SUCCESS", "error_records": [7]}'),
    ("text as records", b'{"status": "SUCCESS", "error_records": "all"}'),
    ("text position", b'{"status": "SUCCESS", "error_records": [{"reason": "x", "record_indexes": ["1"]}]}'),
    ("true as a position", b'{"status": "SUCCESS", "error_records": [{"record_indexes": [true]}]}'),
    ("NaN as a position", b'{"status": "SUCCESS", "error_records": [{"record_indexes": [NaN]}]}'),
    ("position of no record", b'{"status": "SUCCESS", "error_records": [{"record_indexes": [5000]}]}'),
    ("negative position", b'{"status": "SUCCESS", "error_records": [{"record_indexes": [-1]}]}'),
    ("text event", b'{"status": "VALID", "event": "2"}'),
    ("event of no record", b'{"status": "VALID", "event": 4}'),
    ("list as status", b'{"status": ["VALID"]}'),
    ("number as status", b'{"status": 7}'),
    ("50,000 levels", b"[" * 50_000),
    ("50,000 levels of objects", b'{"a":' * 50_000),
    ("50,000 levels in a reason", b'{"status": "VALID", "reason": ' + b"[" * 50_000 + b"]" * 50_000 + b"}"),
    ("number of 5,000 digits", b'{"status": "VALID", "event": ' + b"9" * 5_000 + b"}"),
    ("no UTF-8", b'{"status": "VALID", "reason": "\xff\xfe"}'),
]


@pytest.mark.parametrize("body", [body for _, body in ODD], ids=[name for name, _ in ODD])
@pytest.mark.parametrize("version", ["v3", "v2"])
def test_odd_content_is_an_unreadable_answer(server: HostileServer, body: bytes, version: str) -> None:
    server.answer = lambda connection: connection.reply("200 OK", body)
    assert ask(server, version=version).category is Category.UNREADABLE_ANSWER


@pytest.mark.parametrize("body", [body for _, body in ODD], ids=[name for name, _ in ODD])
@pytest.mark.parametrize("version", ["v3", "v2"])
def test_a_refusal_with_odd_content_names_nobody(server: HostileServer, body: bytes, version: str) -> None:
    server.answer = lambda connection: connection.reply("400 Bad Request", body)
    answer = ask(server, version=version)
    assert (answer.category, dict(answer.refused)) == (Category.REFUSED, {})


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nabcd",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nnothing\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 3, 4\r\n\r\nabcd",
        b"HTTP/1.1 200 OK\r\nContent-Length: minus\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"X-A: b\r\n" * 500 + b"\r\n",
        b"HTTP/1.1 200 OK\r\nX-A: " + b"b" * 200_000 + b"\r\n\r\n",
        b"HTTP/1.1 307 \xff\r\nLocation: http://[::1\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 307 X\r\nLocation: /\xff\xfe\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nSet-Cookie: \x00=\xff; expires=never\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=\xff\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/9.9 9999 Nonsense\r\n\r\n",
        b"garbage\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\n\r\n",
        b"\x00" * 100,
    ],
)
def test_a_broken_answer_never_raises(server: HostileServer, answer: bytes) -> None:
    def reply(connection: Connection) -> None:
        connection.send(answer)
        connection.socket.shutdown(socket.SHUT_RDWR)

    server.answer = reply
    found = ask(server)
    assert found.category in (Category.UNREADABLE_ANSWER, Category.NO_ANSWER, Category.NOT_FOUND)
    assert TOKEN not in found.message


def test_a_body_that_unpacks_to_very_much_is_not_unpacked(server: HostileServer) -> None:
    packer = zlib.compressobj(wbits=31)
    bomb = packer.compress(b" " * 300_000_000) + packer.flush()
    server.answer = lambda connection: connection.reply("307 Elsewhere", bomb, "Content-Encoding: gzip", "Location: /")
    answer = ask(server)
    assert answer.category is Category.NOT_FOUND
    server.answer = lambda connection: connection.reply("200 OK", bomb, "Content-Encoding: gzip")
    assert ask(server).message == "the answer has no end"


def test_words_come_as_one_line_that_files_and_terminals_take(server: HostileServer) -> None:
    reason = "\ud800 red: \x1b[31m\x00 two\nlines\u202e and an é"
    server.answer = lambda connection: connection.reply("400 Bad", json.dumps({"reason": reason}).encode())
    assert ask(server).message == "red: [31m two lines and an é"
    server.answer = lambda connection: connection.reply("200 OK", json.dumps({"status": "VALID", "reason": 7}).encode())
    assert (ask(server).category, ask(server).message) == (Category.ACCEPTED, "")


def percent(text: str) -> str:
    return "".join(f"%{ord(each):02x}" for each in text)


ENCODINGS = {
    "as it is": lambda token: token,
    "percent-encoded": lambda token: token.replace("/", "%2F").replace("+", "%2B").replace("=", "%3D"),
    "percent-encoded in lower case": lambda token: token.replace("/", "%2f").replace("+", "%2b").replace("=", "%3d"),
    "percent-encoded in every character": percent,
    "percent-encoded twice": lambda token: percent(token).replace("%", "%25"),
    "percent-encoded three times": lambda token: percent(token).replace("%", "%25").replace("%", "%25"),
    "escaped as JSON in text": lambda token: "".join(f"\\u{ord(each):04X}" for each in token),
    "escaped slashes": lambda token: token.replace("/", "\\/"),
    "as HTML": lambda token: token.replace("/", "&#x2F;").replace("+", "&#43;").replace("=", "&equals;"),
    "its beginning": lambda token: token[:9],
    "its end": lambda token: token[-9:],
    "a piece of it, encoded": lambda token: percent(token[5:20])[:-1],
    "in lines": lambda token: token[:20] + "\n" + token[20:],
    "thrice": lambda token: f"{token} {percent(token)} {token}",
}


def pieces(text: str) -> set[str]:
    return {text[start : start + 8] for start in range(len(text) - 7)}


@pytest.mark.parametrize("encoded", ENCODINGS.values(), ids=ENCODINGS)
@pytest.mark.parametrize("version", ["v3", "v2"])
def test_a_token_that_is_repeated_is_taken_out(server: HostileServer, encoded: Any, version: str) -> None:
    reason = f"No route for https://tr.snapchat.com/v3/pixel/events?access_token={encoded(TOKEN)}"
    body = {"status": "SUCCESS", "reason": reason, "error_records": [{"reason": reason, "record_indexes": [1]}]}
    header = f"X-Request: {reason}".replace("\n", "")
    server.answer = lambda connection: connection.reply("400 " + header, json.dumps(body).encode(), header)
    answer = ask(server, version=version)
    for text in (answer.message, *answer.refused.values()):
        assert "…" in text
        assert text.startswith("No route for https://tr.snapchat.com")
        plain = text
        for _ in range(4):
            assert not pieces(plain) & pieces(TOKEN)
            plain = unquote(plain)


def test_a_token_that_the_cut_of_a_message_divides_is_taken_out(server: HostileServer) -> None:
    redact = Redaction(TOKEN)
    for padding in range(reading.MAXIMUM_MESSAGE - 2 * len(TOKEN), reading.MAXIMUM_MESSAGE):
        reason = "x" * padding + " " + percent(TOKEN)
        response = Response(400, None, json.dumps({"reason": reason}).encode())
        message = reading.read_answer(DIALECTS["v3"], response, 1, redact).message
        assert message in ("x" * padding + " …", "x" * padding)


def test_a_text_in_many_layers_of_encoding_is_hidden_at_once() -> None:
    """Undone one by one, those of a single answer of a megabyte took minutes."""
    redact = Redaction(TOKEN)
    started = time.monotonic()
    for encoded in ("%25" + "25" * 1998, "&amp;" + "amp;" * 900):
        assert redact(encoded) == "…"
    assert time.monotonic() - started < 0.2
    assert redact("100 %2525") == "100 %2525"


def test_what_the_http_library_logs_of_odd_headers_holds_no_token(
    server: HostileServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)

    def answer(connection: Connection) -> None:
        target = connection.target.encode()
        connection.send(b"HTTP/1.1 200 OK\r\n" + target + b"\r\nno header: \r\n at " + target + b"\r\n\r\n")
        connection.socket.shutdown(socket.SHUT_RDWR)

    server.answer = answer
    ask(server)
    assert "Failed to parse headers" in caplog.text
    assert "access_token=…" in caplog.text
    assert not pieces(TOKEN) & pieces(caplog.text)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("7", 7.0),
        ("0.5", 0.5),
        ("-5", 0.0),
        ("315360000", PATIENCE_SECONDS),
        ("inf", PATIENCE_SECONDS),
        ("1e999", PATIENCE_SECONDS),
        ("-inf", 0.0),
        ("nan", None),
        ("Fri, 31 Dec 2066 23:59:59 GMT", PATIENCE_SECONDS),
        ("Fri, 31 Dec 1999 23:59:59 GMT", 0.0),
        ("Fri, 31 Dec 1999 23:59:59 -0000", 0.0),
        ("Fri, 99 Dec 99999999999999999999 23:59:59 GMT", None),
        ("soon", None),
        ("", None),
    ],
)
def test_retry_after_is_capped_at_the_patience(server: HostileServer, header: str, seconds: float | None) -> None:
    server.answer = lambda connection: connection.reply("429 Slow", b"", f"Retry-After: {header}")
    answer = ask(server)
    assert (answer.category, answer.retry_after) == (Category.THROTTLED, seconds)
