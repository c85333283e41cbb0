"""The root of every error that the user can do something about.

The command line prints these on standard error without a traceback; in Dagster they fail the step. Anything
else that is raised is a defect and stays loud.
"""


class PipelineError(Exception):
    """A failure whose message tells the user what to do."""


class SettingsError(PipelineError):
    """A setting, in the environment or in `workspaces.toml`, that cannot be used."""


class InvalidValue(PipelineError):
    """A value that the user gave and that is not of its kind; on the command line, bad usage."""


class LakeError(PipelineError):
    """The lake or the landing zone could not be read or written; the old partition is intact."""
