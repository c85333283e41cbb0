"""A webhook that takes one line of text, as Slack's incoming webhooks do (and Mattermost's, and Discord's `/slack`).

Its address is a secret: whoever has it may write to the channel. So no address, and no exception of the HTTP library,
which carries it, leaves this module.
"""

import json
from urllib.parse import urlsplit

from tenacity import retry, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from snap_pipeline.errors import PipelineError
from snap_pipeline.exchange import HttpClient, NoAnswer, NotSent
from snap_pipeline.redaction import Redaction

CONNECT_SECONDS, ANSWER_SECONDS = 5.0, 10.0
ATTEMPTS = 3


class WebhookDown(PipelineError):
    """The line was not taken, as far as is known."""


class _NotTaken(WebhookDown):
    """Proof that it was not taken, so that another attempt doubles nothing."""


class Webhook:
    """Where alerts go.

    Args:
        address: the secret URL.
    """

    def __init__(self, address: str) -> None:
        self._address = address
        parts = urlsplit(address)
        self._http = HttpClient(
            Redaction(parts.path.strip("/"), parts.query, parts.username or "", parts.password or "")
        )

    @retry(
        retry=retry_if_exception_type(_NotTaken),
        stop=stop_after_attempt(ATTEMPTS),
        wait=wait_random_exponential(multiplier=0.2, max=2),
        reraise=True,
    )
    def send(self, line: str) -> None:
        """Posts one line, as `{"text": …}`. What is certainly not taken is tried again for a moment.

        Raises:
            WebhookDown: it was not taken, or no answer came; without the address.
        """
        body, headers = json.dumps({"text": line}).encode(), {"Content-Type": "application/json"}
        try:
            answer = self._http.post(
                self._address,
                body,
                headers,
                connect_seconds=CONNECT_SECONDS,
                seconds=ANSWER_SECONDS,
                read_body=False,  # it might never end
            )
        except NotSent as error:
            raise _NotTaken(f"the webhook could not be reached: {error}") from None
        except NoAnswer as error:
            raise WebhookDown(f"the webhook did not answer: {error}") from None
        if answer.status == 429 or answer.status >= 500:
            raise _NotTaken(f"the webhook answered HTTP {answer.status}")
        if not 200 <= answer.status < 300:
            raise WebhookDown(
                f"the webhook answered HTTP {answer.status}: make a new one and set SNAP_PIPELINE_ALERT_WEBHOOK"
            )
