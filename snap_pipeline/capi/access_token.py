"""The access token of the Conversions API, kept out of logs, messages and pickles."""

from typing import NoReturn


class AccessToken:
    """A Conversions API token. Its text comes out of `reveal` alone, and it cannot be pickled."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """The token itself, for the request and for nothing else."""
        return self._text

    def __repr__(self) -> str:
        return "AccessToken(…)"

    def __reduce__(self) -> NoReturn:
        raise TypeError("An access token is not written anywhere but encrypted.")
