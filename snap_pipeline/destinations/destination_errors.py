"""Errors of destinations. None of their messages has a token, or a value that may hold one."""

from snap_pipeline.errors import InvalidValue, PipelineError


class DestinationError(PipelineError):
    """A destination cannot be saved or found; nothing was stored."""


class InvalidDestination(DestinationError, InvalidValue):
    """A field has a value that cannot be used."""


class DestinationTaken(DestinationError):
    """The name, or the workspace's pixel, belongs to another destination."""


class UnknownDestination(DestinationError):
    """No destination has that name."""
