"""The HTTP client: one request to Snap and its answer, as data. It never raises for what a server or network does.

The access token stands in v3's URL (reference, section 3.1). So no URL and no exception of the HTTP library, which
carries it, leaves this module.
"""

import logging
import re
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from urllib.parse import urlsplit

import requests
from requests.exceptions import ConnectionError as ConnectionFailed
from requests.exceptions import ConnectTimeout, ProxyError, ReadTimeout, RequestException, SSLError
from urllib3.exceptions import MaxRetryError, NameResolutionError, NewConnectionError

from snap_pipeline.capi.answers import Answer, ApiVersion, Category, read_answer
from snap_pipeline.destinations.tokens import AccessToken

CONNECT_SECONDS = 10.0
ANSWER_SECONDS = 30.0
MAXIMUM_ANSWER_BYTES = 1_000_000
"""Snap's answers are small; a body without an end is somebody else's."""

NEVER_CONNECTED: Mapping[type[Exception], str] = {
    SSLError: "TLS: {host} showed no certificate that is trusted here",
    ConnectTimeout: f"{{host}} did not take a connection within {CONNECT_SECONDS:.0f} s",
    ProxyError: "the proxy on the way to {host} cannot be used",
    NameResolutionError: "DNS: the name {host} is not known here",
    NewConnectionError: "{host} refused the connection",
}
"""What proves that no request went out, the special before the general, and the words for it."""

TOKEN_IN_URL = re.compile(r"(access_token=)[^&\s\"]+")


class _WithoutToken(logging.Filter):
    """Takes the token out of what the HTTP library logs when somebody turns its debug messages on."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Rewrites the message; every record passes."""
        record.msg, record.args = TOKEN_IN_URL.sub(r"\1…", record.getMessage()), ()
        return True


logging.getLogger("urllib3.connectionpool").addFilter(_WithoutToken())


class ConversionsClient:
    """Snap's endpoints for one destination, safe to use from several threads.

    Args:
        base_url: such as `https://tr.snapchat.com`.
        version: of the API.
        token: goes into v3's query and v2's header.
    """

    def __init__(self, base_url: str, version: ApiVersion, token: AccessToken) -> None:
        self._base_url = base_url.rstrip("/")
        self._version = version
        self._token = token
        self._local = threading.local()

    def send(self, asset_id: str, events: Sequence[bytes], *, validate: bool = False) -> Answer:
        """Posts events, each a JSON object, that all belong to one asset.

        Args:
            asset_id: the pixel id or Snap App ID.
            events: at most 2,000 (reference, section 3.8).
            validate: to the endpoint that checks and counts nothing.
        """
        records = b",".join(events)
        if self._version == "v3":
            path, body = f"/v3/{asset_id}/events", b'{"data":[%b]}' % records
        else:
            path, body = "/v2/conversion", b"[%b]" % records
        return self._post(path + "/validate" * validate, body, len(events))

    def _post(self, path: str, body: bytes, events: int) -> Answer:
        started = time.monotonic()
        try:
            answer = self._exchange(path, body, events, deadline=started + ANSWER_SECONDS)
        except RequestException as error:
            answer = self._failure(error)
        return replace(answer, latency_ms=(time.monotonic() - started) * 1000)

    def _exchange(self, path: str, body: bytes, events: int, *, deadline: float) -> Answer:
        token = self._token.reveal()
        v3 = self._version == "v3"
        with self._session().post(
            self._base_url + path,
            params={"access_token": token} if v3 else None,
            data=body,
            headers={"Content-Type": "application/json"} | ({} if v3 else {"Authorization": f"Bearer {token}"}),
            timeout=(CONNECT_SECONDS, ANSWER_SECONDS),
            allow_redirects=False,
            stream=True,
        ) as response:
            content = b""
            for chunk in response.iter_content(65_536):
                content += chunk
                if len(content) > MAXIMUM_ANSWER_BYTES or time.monotonic() > deadline:
                    response.close()
                    return Answer(Category.UNREADABLE_ANSWER, response.status_code, "the answer has no end")
            retry_after = _seconds(response.headers.get("Retry-After"))
            return read_answer(self._version, response.status_code, content, events, retry_after=retry_after)

    def _failure(self, error: RequestException) -> Answer:
        host = urlsplit(self._base_url).hostname
        cause = _cause(error)
        for kind, text in NEVER_CONNECTED.items():
            if isinstance(error, kind) or isinstance(cause, kind):
                return Answer(Category.NO_CONNECTION, None, text.format(host=host))
        if isinstance(error, ReadTimeout):
            return Answer(Category.NO_ANSWER, None, f"{host} did not answer within {ANSWER_SECONDS:.0f} s")
        return Answer(Category.NO_ANSWER, None, f"the connection to {host} broke")

    def _session(self) -> requests.Session:
        session: requests.Session | None = getattr(self._local, "session", None)
        if session is None:
            session = self._local.session = requests.Session()
            # A .netrc or proxy variable must not decide which credentials Snap sees.
            session.auth = _no_auth
        return session


def _no_auth(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request


def _cause(error: RequestException) -> object:
    """What the HTTP library gave up over, where that is known."""
    failure = error.args[0] if isinstance(error, ConnectionFailed) and error.args else None
    return failure.reason if isinstance(failure, MaxRetryError) else None


def _seconds(header: str | None) -> float | None:
    try:
        return max(0.0, float(header)) if header else None
    except ValueError:
        return None
