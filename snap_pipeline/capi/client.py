"""The HTTP client: one request to Snap and its answer, as data. Failures of server and network are answers too.

The access token is part of v3's URL (snap-api.md, section 3.1), so a server or gateway that echoes the URL echoes the
token. It is redacted here, where answers are read.
"""

import time
from collections.abc import Sequence
from dataclasses import replace

from snap_pipeline.capi.access_token import AccessToken
from snap_pipeline.capi.answers import Answer, Category
from snap_pipeline.capi.api_version import DIALECTS, ApiVersion
from snap_pipeline.capi.dialect import WireRequest
from snap_pipeline.capi.reading import read_answer
from snap_pipeline.exchange import HttpClient, NoAnswer, NotSent
from snap_pipeline.redaction import Redaction

CONNECT_SECONDS = 10.0
"""Seconds for the connection, of those for the whole exchange."""
ANSWER_SECONDS = 30.0
"""Seconds for the whole exchange, from the connection to the last byte of the answer."""


class ConversionsClient:
    """Snap's endpoints for one destination, safe to use from several threads.

    Args:
        base_url: such as `https://tr.snapchat.com`.
        version: of the API.
        token: goes into the URL or a header, as the version demands.
    """

    def __init__(self, base_url: str, version: ApiVersion, token: AccessToken) -> None:
        self._base_url = base_url.rstrip("/")
        self._dialect = DIALECTS[version]
        self._token = token
        self._redact = Redaction(token.reveal())
        self._http = HttpClient(self._redact)

    def send(self, asset_id: str, events: Sequence[bytes], *, validate: bool = False) -> Answer:
        """Post events, each a JSON object, that all belong to one asset.

        Args:
            asset_id: the pixel id or Snap App ID.
            events: at most `limits.MAXIMUM_EVENTS`.
            validate: whether to post to the validate endpoint, which counts nothing.
        """
        request = self._dialect.request(asset_id, b",".join(events), self._token.reveal(), validate=validate)
        started = time.monotonic()
        answer = self._post(request, len(events))
        return replace(answer, latency_ms=(time.monotonic() - started) * 1000)

    def _post(self, request: WireRequest, events: int) -> Answer:
        url, headers = self._base_url + request.path, {"Content-Type": "application/json", **request.headers}
        try:
            response = self._http.post(
                url, request.body, headers, connect_seconds=CONNECT_SECONDS, seconds=ANSWER_SECONDS
            )
        except NotSent as error:
            return Answer(Category.NO_CONNECTION, None, str(error))
        except NoAnswer as error:
            return Answer(Category.NO_ANSWER, None, str(error))
        return read_answer(self._dialect, response, events, self._redact)
