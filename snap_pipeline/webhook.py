"""A webhook that takes one line of text, as Slack's incoming webhooks do (and Mattermost's, and Discord's `/slack`).

Its address is a secret: whoever has it may write to the channel. So no address, and no exception of the HTTP library,
which carries it, leaves this module.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import requests
from tenacity import retry, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from snap_pipeline.errors import PipelineError

CONNECT_SECONDS, ANSWER_SECONDS = 5.0, 10.0
ATTEMPTS = 3
LOGGERS = ("urllib3.connectionpool", "urllib3.util.retry")
"""They tell the path of each request when somebody turns their debug messages on."""


class WebhookDown(PipelineError):
    """The line was not taken, as far as is known."""


class _NotTaken(WebhookDown):
    """Proof that it was not taken, so that another attempt doubles nothing."""


class _WithoutAddress(logging.Filter):
    def __init__(self, address: str) -> None:
        super().__init__()
        parts = urlsplit(address)
        self._secrets = [part for part in (address, parts.path.strip("/"), parts.query) if part]

    def filter(self, record: logging.LogRecord) -> bool:
        """Rewrites the message; every record passes."""
        message = record.getMessage()
        for secret in self._secrets:
            message = message.replace(secret, "…")
        record.msg, record.args = message, ()
        return True


class Webhook:
    """Where alerts go.

    Args:
        address: the secret URL.
    """

    def __init__(self, address: str) -> None:
        self._address = address

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
        try:
            # Nobody reads the body, which might never end.
            with (
                _without_address_in_logs(self._address),
                requests.post(
                    self._address,
                    json={"text": line},
                    timeout=(CONNECT_SECONDS, ANSWER_SECONDS),
                    allow_redirects=False,
                    stream=True,
                ) as answer,
            ):
                pass
        except requests.ConnectTimeout:
            raise _NotTaken(f"the webhook took no connection within {CONNECT_SECONDS:.0f} s") from None
        except requests.Timeout:
            raise WebhookDown(f"the webhook did not answer within {ANSWER_SECONDS:.0f} s") from None
        except requests.RequestException as error:
            raise WebhookDown(f"the webhook could not be reached ({type(error).__name__})") from None
        if answer.status_code == 429 or answer.status_code >= 500:
            raise _NotTaken(f"the webhook answered HTTP {answer.status_code}")
        if not answer.ok or answer.is_redirect:
            raise WebhookDown(
                f"the webhook answered HTTP {answer.status_code}: make a new one and set SNAP_PIPELINE_ALERT_WEBHOOK"
            )


@contextmanager
def _without_address_in_logs(address: str) -> Iterator[None]:
    found = _WithoutAddress(address)
    for name in LOGGERS:
        logging.getLogger(name).addFilter(found)
    try:
        yield
    finally:
        for name in LOGGERS:
            logging.getLogger(name).removeFilter(found)
