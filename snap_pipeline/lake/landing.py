"""The landing zone: the files of each hour, found by the configured folder layout.

Files land below `<root>/<layout>`, in one folder for each workspace and hour. `raw.py` reads their content.
"""

import calendar
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import Any

from snap_pipeline.errors import LakeError, SettingsError
from snap_pipeline.files import atomic_write, is_same_moment, new_draft
from snap_pipeline.lake.mappings import Mappings


@dataclass(frozen=True, order=True)
class LandedFile:
    """A file as a listing shows it.

    `source_file` is its path below the landing root. Bytes that are no UTF-8 are lone surrogates in it; `as_text` makes
    it valid text for tables and people.
    """

    workspace: str
    source_file: str
    size: int
    modified_ns: int

    def is_same(self, other: "LandedFile") -> bool:
        """Tell whether both are the same file, or a copy that kept its time, as `files.is_same_moment` compares it."""
        return (
            self.source_file == other.source_file
            and self.size == other.size
            and is_same_moment(self.modified_ns, other.modified_ns)
        )

    def as_note(self) -> dict[str, Any]:
        """Return the file as a JSON object for the notes of a partition."""
        return asdict(self)


Listing = Sequence[LandedFile]


def is_same_listing(read: Listing, current: Listing) -> bool:
    """Tell whether two listings are of the same files, or of copies that kept their times."""
    return len(read) == len(current) and all(map(LandedFile.is_same, read, current))


class LandingZone:
    """The folders in which events land.

    Args:
        root: the landing zone's folder.
        layout: a strftime template of the folders below it, which contains `{workspace}`.
        workspaces: the names of the workspaces; other folders are not read.
        mappings: the mapping tables by which landed events are read.

    Raises:
        SettingsError: the layout gives the same folder to different workspaces or hours.
    """

    def __init__(self, root: Path, layout: str, workspaces: Sequence[str], mappings: Mappings) -> None:
        self._root = root
        self.layout = layout
        self.mappings = mappings
        self.workspaces = workspaces
        self._pattern = _pattern_of(layout)
        self._known = frozenset(workspaces)
        probes = {layout_folder(layout, name, hour) for name in ("a", "b") for hour in _PROBE_HOURS}
        if len(probes) != 2 * len(_PROBE_HOURS):
            raise SettingsError(
                f"SNAP_PIPELINE_LANDING_LAYOUT is {layout!r}: it needs {{workspace}} and year, month, day and hour, "
                "as in {workspace}/%Y-%m-%dT%H."
            )

    @property
    def location(self) -> str:
        """The location of the landing zone, as users know it."""
        return str(self._root)

    @property
    def source_file_sql(self) -> str:
        """SQL expression of a file's path below the root, from the column `filename` of DuckDB's readers."""
        return f"substr(filename, {len(self.location) + 2})"

    def path(self, file: LandedFile) -> Path:
        """Return the path of a landed file."""
        return self._root / file.source_file

    @contextmanager
    def write(self, workspace: str, hour: datetime, name: str) -> Iterator[Path]:
        """Yield a draft to write, which lands in a workspace's hour when the block ends without an error."""
        path = self.folder(workspace, hour) / name
        with atomic_write(path, new_draft(self._root, path)) as draft:
            yield draft

    @contextmanager
    def rewrite(self, file: LandedFile) -> Iterator[Path]:
        """Yield a draft to write, which replaces a landed file when the block ends without an error."""
        path = self.path(file)
        with atomic_write(path, new_draft(self._root, path)) as draft:
            yield draft

    def scratch_file(self, name: str) -> Path:
        """Return the path of a temporary file. The caller deletes it; `files.drafts` finds it after a crash."""
        return new_draft(self._root, self._root / name)

    def delete(self, files: Iterable[LandedFile], hour: datetime) -> None:
        """Delete landed files of an hour, and its folders that are empty then."""
        for file in files:
            self.path(file).unlink(missing_ok=True)
        for workspace in self.workspaces:
            folder = self.folder(workspace, hour)
            if folder.is_dir() and not any(folder.iterdir()):
                with suppress(OSError):  # a file may land at this very moment
                    folder.rmdir()

    def folder(self, workspace: str, hour: datetime) -> Path:
        """Return the folder of a workspace's hour, whether or not it exists."""
        return self._root / layout_folder(self.layout, workspace, hour)

    def workspace_pattern(self, hour: datetime) -> str:
        """Return a regular expression for files of an hour below the root; its one group is the workspace."""
        before, *after = map(re.escape, hour.strftime(self.layout).split("{workspace}"))
        return f"^{before}([^/]+){'[^/]+'.join(after)}/"

    def listing(self, hour: datetime) -> list[LandedFile]:
        """Return the files of an hour, sorted by workspace and name, without drafts (hidden, `_` and `.tmp` names).

        Raises:
            LakeError: a folder cannot be read.
        """
        return sorted(file for name in self.workspaces for file in self._files(name, self.folder(name, hour)))

    def hours(self, *, of_any_kind: bool = False) -> set[datetime]:
        """Return every hour that has a folder, in any workspace.

        Args:
            of_any_kind: include hours where something other than a folder has that name.
        """
        folders = self._hours_by_folder(of_any_kind=of_any_kind)
        return {hour for _, hour in folders if hour is not None}

    def unknown_folders(self) -> list[str]:
        """Return folders at the depth of hours that match no hour of a known workspace, so that they are never read."""
        return sorted(
            as_text(folder)
            for folder, hour in self._hours_by_folder()
            if hour is None and not any(map(_is_draft, PurePosixPath(folder).parts))
        )

    def _hours_by_folder(self, *, of_any_kind: bool = False) -> Iterator[tuple[str, datetime | None]]:
        for folder in self._folders(self._root, len(PurePosixPath(self.layout).parts), of_any_kind=of_any_kind):
            relative = folder.relative_to(self._root).as_posix()
            yield relative, self._hour_of(relative)

    def _folders(self, folder: Path, depth: int, *, of_any_kind: bool) -> Iterator[Path]:
        if depth == 0:
            yield folder
            return
        try:
            is_last = of_any_kind and depth == 1
            children = [Path(entry.path) for entry in os.scandir(folder) if is_last or entry.is_dir()]
        except FileNotFoundError:
            return
        except OSError as error:
            names = folder.relative_to(self._root).parts
            if names and names[0] not in self._known and self.layout.startswith("{workspace}/"):
                yield folder  # not of a workspace, such as the lost+found of a volume
                return
            raise LakeError(f"The landing folder {folder} cannot be read: {error.strerror}.") from error
        for child in children:
            yield from self._folders(child, depth - 1, of_any_kind=of_any_kind)

    def _hour_of(self, folder: str) -> datetime | None:
        found = self._pattern.fullmatch(folder)
        if not found or found["workspace"] not in self._known:
            return None
        return _moment(**{name: text for name, text in found.groupdict().items() if name != "workspace"})

    def _files(self, workspace: str, folder: Path) -> Iterator[LandedFile]:
        try:
            with os.scandir(folder) as entries:
                for entry in entries:
                    if not _is_draft(entry.name) and entry.is_file():
                        status = entry.stat()
                        source_file = Path(entry.path).relative_to(self._root).as_posix()
                        yield LandedFile(workspace, source_file, status.st_size, status.st_mtime_ns)
        except FileNotFoundError:
            return
        except OSError as error:
            raise LakeError(f"The landing folder {folder} cannot be read: {error.strerror}.") from error


def as_text(name: str) -> str:
    """Return a file's name as valid text: bytes that are no UTF-8 are written as `\\xff`."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def layout_folder(layout: str, workspace: str, hour: datetime) -> str:
    """Return the folder of a workspace's hour below the landing root."""
    return hour.strftime(layout_of(layout, workspace))


def layout_of(layout: str, workspace: str) -> str:
    """Return the strftime template of one workspace's folders."""
    return layout.replace("{workspace}", workspace)


_DIRECTIVES = {
    **dict.fromkeys("ymdH", r"\d{2}"),
    "Y": r"\d{4}",
    "j": r"\d{3}",
    "b": "|".join(calendar.month_abbr[1:]),
    "B": "|".join(calendar.month_name[1:]),
}
"""Regular expressions of strftime directives. For any other directive, the rest of the layout marks its end."""


def _pattern_of(layout: str) -> re.Pattern[str]:
    """Return the regular expression of a layout's folders, for all workspaces, with a group for each part."""
    seen: set[str] = set()

    def expression(part: str) -> str:
        name = {"{workspace}": "workspace"}.get(part, part.removeprefix("%"))
        if name in (part, "%"):
            return re.escape(name)
        if name in seen:
            return f"(?P={name})"
        seen.add(name)
        return f"(?P<{name}>{_DIRECTIVES.get(name, '[^/]+')})"

    return re.compile("".join(map(expression, re.split(r"({workspace}|%[A-Za-z%])", layout))))


@lru_cache(maxsize=100_000)
def _moment(**parts: str) -> datetime | None:
    """Return the time that the parts of a folder's name stand for, by strftime directive; None for no valid time."""
    spelled, template = " ".join(parts.values()), " ".join(f"%{directive}" for directive in parts)
    try:
        moment = datetime.strptime(f"{spelled} +0000", f"{template} %z")
    except ValueError:
        return None
    # strptime ignores case; folders of hours must have the exact spelling.
    return moment if moment.strftime(template) == spelled else None


_PROBE_HOURS = tuple(
    datetime(*parts, tzinfo=UTC)
    for parts in (
        (2026, 11, 23, 14),
        (2026, 11, 23, 15),
        (2026, 11, 24, 14),
        (2026, 10, 23, 14),
        (2025, 11, 23, 14),
    )
)


def _is_draft(name: str) -> bool:
    return name.startswith((".", "_")) or name.endswith(".tmp")
