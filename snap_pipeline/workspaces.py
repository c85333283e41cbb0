"""`workspaces.toml`: the settings of each site that shares the pipeline.

The file has one table per workspace. Without it there is one workspace, `default`.
"""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from snap_pipeline.errors import SettingsError

WorkspaceName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$")]


class Workspace(BaseModel):
    """The settings of one site; docs/configuration.md describes each key."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: WorkspaceName
    site_url: Annotated[str, StringConstraints(pattern=r"^https?://\S+$")] | None = None
    default_currency: Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")] | None = None
    default_calling_code: Annotated[str, StringConstraints(pattern=r"^[1-9][0-9]{0,2}$")] | None = None
    unknown_consent: Literal["send", "limited", "exclude"] = "send"
    unmapped_events: Literal["pass", "exclude"] = "pass"
    identity_window_days: Annotated[int, Field(ge=1, le=365)] = 30
    click_window_days: Annotated[int, Field(ge=1, le=365)] = 28
    max_devices_per_person: Annotated[int, Field(ge=1, le=1_000_000)] = 50
    hash_external_id: bool = False
    event_id_property: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_ .-]{0,63}$")] | None = None


WORKSPACE_KEYS = Workspace.model_fields.keys() - {"name"}
PATTERN_DESCRIPTIONS = {
    "name": "1 to 64 letters, digits, dashes and underscores",
    "site_url": 'an address such as "https://shop.example.com/"',
    "default_currency": 'a currency of ISO 4217 such as "EUR"',
    "event_id_property": 'the name of a property such as "snap_event_id"',
    "default_calling_code": 'a country\'s calling code in digits such as "49", without +',
}
"""Plain-English descriptions of the patterns above, for error messages."""


def load_workspaces(file: Path) -> Mapping[str, Workspace]:
    """Load the workspaces by name, in the file's order.

    Raises:
        SettingsError: the file is not TOML, or a key is unknown or has a value that cannot be used; the message
            names file, table and key.
    """
    if not file.exists():
        return {"default": Workspace(name="default")}
    try:
        tables = tomllib.loads(file.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{file} is not valid TOML: {error}") from None
    except OSError as error:
        raise SettingsError(f"{file} cannot be read: {error.strerror}") from None
    if not tables:
        raise SettingsError(f"{file} names no workspace. Add a table such as [default], or remove the file.")
    return {name: _workspace(file, name, table) for name, table in tables.items()}


def _workspace(file: Path, name: str, table: object) -> Workspace:
    if not isinstance(table, dict):
        raise SettingsError(f"{file}: {name} is not a table. Write [{name}] and its keys below it.")
    unknown = table.keys() - WORKSPACE_KEYS
    if unknown:
        keys = ", ".join(sorted(WORKSPACE_KEYS))
        raise SettingsError(f"{file}: [{name}] {', '.join(sorted(unknown))}: unknown key. Known keys: {keys}.")
    try:
        return Workspace(name=name, **table)
    except ValidationError as error:
        problems = (f"[{name}] {'.'.join(map(str, p['loc']))}: {_problem_message(p)}" for p in error.errors())
        raise SettingsError(f"{file}: " + "; ".join(problems)) from None


def _problem_message(problem: Mapping[str, Any]) -> str:
    key = str(problem["loc"][0])
    return f"must be {PATTERN_DESCRIPTIONS[key]}" if key in PATTERN_DESCRIPTIONS else str(problem["msg"])
