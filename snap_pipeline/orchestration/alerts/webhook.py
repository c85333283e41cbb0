"""A client of webhooks that take a line of text, such as Slack's, Mattermost's and Discord's `/slack`.

The address is a secret: whoever has it can write to the channel. So neither the address, nor any exception of the HTTP
library, which quotes it, leaves this module.
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
    """A line that the webhook did not accept, as far as is known."""


class _NotAccepted(WebhookDown):
    """A line that the webhook certainly did not accept, so that a retry cannot post it twice."""


class Webhook:
    """The webhook that receives alerts.

    Args:
        address: its secret URL.
    """

    def __init__(self, address: str) -> None:
        self._address = address
        parts = urlsplit(address)
        self._http = HttpClient(
            Redaction(parts.path.strip("/"), parts.query, parts.username or "", parts.password or "")
        )

    @retry(
        retry=retry_if_exception_type(_NotAccepted),
        stop=stop_after_attempt(ATTEMPTS),
        wait=wait_random_exponential(multiplier=0.2, max=2),
        reraise=True,
    )
    def send(self, line: str) -> None:
        """Post one line, as `{"text": …}`; retry a few times if the webhook certainly did not accept it.

        Raises:
            WebhookDown: it was not accepted, or no answer came. The message leaves out the address.
        """
        body, headers = json.dumps({"text": line}).encode(), {"Content-Type": "application/json"}
        try:
            answer = self._http.post(
                self._address,
                body,
                headers,
                connect_seconds=CONNECT_SECONDS,
                seconds=ANSWER_SECONDS,
                read_body=False,  # not needed, and it might never end
            )
        except NotSent as error:
            raise _NotAccepted(f"the webhook could not be reached: {error}") from None
        except NoAnswer as error:
            raise WebhookDown(f"the webhook did not answer: {error}") from None
        if answer.status == 429 or answer.status >= 500:
            raise _NotAccepted(f"the webhook answered HTTP {answer.status}")
        if not 200 <= answer.status < 300:
            raise WebhookDown(
                f"the webhook answered HTTP {answer.status}: create a new webhook and set SNAP_PIPELINE_ALERT_WEBHOOK"
            )
