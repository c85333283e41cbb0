"""Typed settings from the environment, and what derives from them: folders of the home, the clock, the first hour.

One `Settings` is made at start-up and passed on; no other module reads the environment.
"""

import os
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from snap_pipeline.errors import SettingsError
from snap_pipeline.files import atomic_write
from snap_pipeline.hours import HourError, floor_hour, format_hour, parse_hour

HISTORY = timedelta(days=37)
"""The age up to which Snap takes conversions (docs/snap-api.md, section 3.8): a new home begins that long ago."""

MEMORY_PATTERN = re.compile(r"\s*(?:\d+(?:\.\d+)?\s*[KMGT](?:I?B)?|(?:100|\d{1,2}(?:\.\d+)?)\s*%)\s*", re.IGNORECASE)
"""An amount of memory in DuckDB's notation: a number with its unit, or a percentage of the machine's."""

LOOPBACK = ("127.0.0.1", "localhost", "::1")


class Settings(BaseSettings):
    """The environment variables `SNAP_PIPELINE_…`; docs/configuration.md describes each."""

    model_config = SettingsConfigDict(env_prefix="SNAP_PIPELINE_", env_ignore_empty=True, frozen=True, extra="ignore")

    home: Path = Path("data")
    landing_folder: Path | None = Field(default=None, alias="SNAP_PIPELINE_LANDING")
    landing_layout: str = "{workspace}/%Y-%m-%dT%H"
    lake_folder: Path | None = Field(default=None, alias="SNAP_PIPELINE_LAKE")
    database_url: SecretStr | None = Field(default=None, alias="SNAP_PIPELINE_STATE_URL")
    secret_key: SecretStr | None = None
    start: str | None = None
    fixed_now: datetime | None = Field(default=None, alias="SNAP_PIPELINE_NOW")
    memory_limit: str = "1500MB"
    retention_days: int = Field(default=90, ge=HISTORY.days + 1)
    running_hour_minutes: int | None = Field(default=None, ge=1, le=59)
    alert_webhook: SecretStr | None = None
    web_url: str | None = None
    snap_scores: bool = False
    ads_api_url: str = "https://adsapi.snapchat.com"
    threads: int = Field(default_factory=lambda: os.cpu_count() or 1, ge=1)

    @field_validator("start")
    @classmethod
    def _start_is_an_hour(cls, value: str | None) -> str | None:
        if value is not None:
            try:
                parse_hour(value)
            except HourError as error:
                raise ValueError(str(error)) from None
        return value

    @field_validator("memory_limit")
    @classmethod
    def _memory_has_a_unit(cls, value: str) -> str:
        if not MEMORY_PATTERN.fullmatch(value):
            raise ValueError(f"{value!r} is not an amount of memory. Write it like 1500MB, 2GiB or 50%")
        return value

    @field_validator("alert_webhook")
    @classmethod
    def _webhook_is_an_address(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not value.get_secret_value().startswith(("https://", "http://")):
            raise ValueError("it is not an address that begins with https:// or http://")
        return value

    @field_validator("ads_api_url")
    @classmethod
    def _token_is_safe(cls, value: str) -> str:
        parts = urlsplit(value)
        if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in LOOPBACK):
            raise ValueError("it does not begin with https://; http is allowed on this machine only")
        return value.rstrip("/")

    @field_validator("web_url")
    @classmethod
    def _web_server_is_an_address(cls, value: str | None) -> str | None:
        if value is not None and not value.startswith(("https://", "http://")):
            raise ValueError("it is not an address that begins with https:// or http://")
        return value and value.rstrip("/")

    @field_validator("fixed_now")
    @classmethod
    def _now_is_in_utc(cls, value: datetime | None) -> datetime | None:
        return value if value is None or value.tzinfo else value.replace(tzinfo=UTC)

    @property
    def landing(self) -> Path:
        """The root of the landing zone."""
        return (self.landing_folder or self.home / "landing").absolute()

    @property
    def lake(self) -> Path:
        """The root of the lake."""
        return (self.lake_folder or self.home / "lake").absolute()

    @property
    def state_url(self) -> str:
        """The SQLAlchemy URL of the state database. Never log it: on Postgres it holds a password."""
        if self.database_url:
            return self.database_url.get_secret_value()
        return f"sqlite:///{(self.home / 'state.db').absolute()}"

    @property
    def secret_key_file(self) -> Path:
        """The file of the key that encrypts tokens, used when the environment sets no key."""
        return self.home.absolute() / "secret.key"

    @property
    def dagster_home(self) -> Path:
        """The folder of the Dagster instance, shared by the command line and `make dev`."""
        return Path(os.environ.get("DAGSTER_HOME") or self.home / "dagster").absolute()

    @property
    def mappings(self) -> Path:
        """The folder of CSV files that override rows of the seeds."""
        return self.home.absolute() / "mappings"

    def drafts(self) -> list[Path]:
        """List the drafts of the home's own files, such as the key file: hidden files with a suffix added."""
        names = self.secret_key_file.name, "state.db", "start"
        return [draft for name in names for draft in self.home.absolute().glob(f".{name}.*")]

    def now(self) -> datetime:
        """Return the data clock's time, which decides running hour and expiry; `SNAP_PIPELINE_NOW` can fix it."""
        return self.fixed_now.astimezone(UTC) if self.fixed_now else datetime.now(UTC)

    @property
    def running_hour(self) -> datetime:
        """The current hour, which is not over yet."""
        return floor_hour(self.now())

    @property
    def first_hour(self) -> datetime:
        """The first partition, written into the home once, since a moving start would change the partitions.

        Raises:
            SettingsError: the home is not a folder, or is not writable; or its file `start` does not hold an hour.
        """
        if self.start is not None:
            return parse_hour(self.start)
        try:
            if not self._start_file.exists():
                _write(self._start_file, format_hour(self.now() - HISTORY), replace=False)
            return parse_hour(self._start_file.read_text().strip())
        except OSError as error:
            raise self._unusable_home(error) from error
        except (HourError, UnicodeDecodeError) as error:
            raise SettingsError(
                f"The file {self._start_file.absolute()}, which holds the first hour of this home, cannot be read: "
                f"{error} Write the hour into it again, or set SNAP_PIPELINE_START."
            ) from error

    def begin_at(self, hour: datetime) -> None:
        """Let a new home begin with an hour, and move the beginning of an older one back to it.

        Raises:
            SettingsError: the home is not a folder, or is not writable; or its file `start` does not hold an hour.
        """
        if self.start is None and (not self._start_file.exists() or hour < self.first_hour):
            try:
                _write(self._start_file, format_hour(hour))
            except OSError as error:
                raise self._unusable_home(error) from error

    @property
    def _start_file(self) -> Path:
        return self.home / "start"

    def _unusable_home(self, error: OSError) -> SettingsError:
        return SettingsError(
            f"The home folder {self.home.absolute()} cannot be used: {error.strerror}. "
            "Set SNAP_PIPELINE_HOME to a folder that can be written to."
        )


def load_settings() -> Settings:
    """Load the settings from this process's environment.

    Raises:
        SettingsError: a variable has a value that cannot be used; the message names it.
    """
    try:
        return Settings()
    except ValidationError as error:
        raise SettingsError("; ".join(_explain(problem) for problem in error.errors())) from None


def _explain(problem: object) -> str:
    assert isinstance(problem, dict)  # noqa: S101 - pydantic's ErrorDetails
    variable = str(problem["loc"][0])
    if not variable.startswith("SNAP_PIPELINE_"):
        variable = f"SNAP_PIPELINE_{variable.upper()}"
    return f"{variable}: {problem['msg']}"


def _write(path: Path, text: str, *, replace: bool = True) -> None:
    """Write a small file. Without `replace`, two processes that start a new home at once agree on one text."""
    with atomic_write(path, path.with_name(f".{path.name}.{os.getpid()}"), replace=replace) as draft:
        draft.write_text(text)
