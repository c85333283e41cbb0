"""The access token of the Conversions API, kept out of logs, messages and pickles."""

from typing import NoReturn


class AccessToken:
    """A Conversions API token. Only `reveal` returns its text, and it cannot be pickled."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """Return the token itself, for a request and nothing else."""
        return self._text

    def __repr__(self) -> str:
        return "AccessToken(…)"

    def __reduce__(self) -> NoReturn:
        raise TypeError("An access token cannot be pickled, since it is stored encrypted only.")
