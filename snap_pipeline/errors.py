"""The base classes of errors that the user can fix.

The command line prints these on standard error without a traceback; in Dagster they fail the step. Any other
exception is a defect and keeps its traceback.
"""


class PipelineError(Exception):
    """A failure whose message tells the user what to do."""


class SettingsError(PipelineError):
    """A setting, in the environment or in `workspaces.toml`, that cannot be used."""


class InvalidValue(PipelineError):
    """A value from the user that has the wrong form; on the command line, bad usage."""


class LakeError(PipelineError):
    """A failure to read or write the lake or the landing zone; the old partition is intact."""
