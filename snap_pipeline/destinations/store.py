"""The store of destinations in the state database, one workspace at a time: what users save, change and remove.

What came of runs and tests is recorded by `run_results.py`, in the same rows.

On Postgres, row-level security shows a transaction only the rows of the workspace that it names; every statement has
the same condition, so that SQLite gives the same results.
"""

from collections.abc import Callable, Sequence
from dataclasses import fields
from datetime import UTC, datetime
from typing import Any, Unpack

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from snap_pipeline.capi.access_token import AccessToken
from snap_pipeline.capi.api_version import DEFAULT_VERSION, ApiVersion
from snap_pipeline.capi.limits import OFFLINE_AGE_DAYS, REQUESTS_PER_MINUTE, WEB_AGE_DAYS
from snap_pipeline.destinations.destination import Destination, State, destination_id
from snap_pipeline.destinations.destination_errors import DestinationError, DestinationTaken, UnknownDestination
from snap_pipeline.destinations.fields import (
    Changes,
    check_changes,
    check_name,
    check_token,
    check_uuid,
    check_workspace,
)
from snap_pipeline.destinations.run_results import NOT_STOPPED, row_of
from snap_pipeline.destinations.token_cipher import TokenCipher
from snap_pipeline.state.database import Database
from snap_pipeline.state.tables import DESTINATIONS

__all__ = ["Changes", "Destination", "DestinationStore"]

PUBLIC_COLUMNS = [DESTINATIONS.c[field.name] for field in fields(Destination)]
SHOWN_TOKEN_CHARACTERS = 4
SHORTEST_SHOWN_TOKEN = 12
"""The shortest token of which the last characters are stored in the clear."""


class DestinationStore:
    """The store of destinations.

    Names are unique over all workspaces, since commands take a name only.

    Args:
        database: the state database, migrated.
        open_cipher: returns the cipher of the access tokens. It is called for each token inside the transaction that
            reads or saves it, since `rotate-key` replaces keys and tokens under the same lock (`rotation.py`).
        workspaces: the configured ones; destinations of others are not found.
        now: real time, aware.
    """

    def __init__(
        self,
        database: Database,
        open_cipher: Callable[[], TokenCipher],
        workspaces: Sequence[str],
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._database, self._open_cipher = database, open_cipher
        self._workspaces, self._now = tuple(workspaces), now

    def add(
        self,
        *,
        name: str,
        workspace: str,
        pixel_id: str,
        since: str,
        token: AccessToken,
        live: bool = False,
        snap_app_id: str | None = None,
        ios_app_id: str | None = None,
        android_app_id: str | None = None,
        api_version: ApiVersion = DEFAULT_VERSION,
        base_url: str = "https://tr.snapchat.com",
        requests_per_minute: int = REQUESTS_PER_MINUTE,
        web_age_days: int = WEB_AGE_DAYS,
        offline_age_days: int = OFFLINE_AGE_DAYS,
    ) -> tuple[Destination, list[str]]:
        """Save a destination, and return it with warnings. One that was removed comes back under its old id.

        Args:
            name: the user's name for it.
            workspace: the workspace of its events.
            pixel_id: UUID, from Events Manager.
            since: the key of the first hour that it receives.
            token: the access token.
            live: whether events are sent from now on; it is paused otherwise.
            snap_app_id: UUID, for app events; without it they are not sent.
            ios_app_id: see `Destination`.
            android_app_id: see `Destination`.
            api_version: of the Conversions API.
            base_url: of Snap's servers, or of the sandbox.
            requests_per_minute: the access token's limit.
            web_age_days: see `Destination`.
            offline_age_days: see `Destination`.

        Raises:
            InvalidDestination: a field cannot be used; nothing is stored.
            DestinationTaken: the name, or the workspace's pixel, is in use; nothing is stored.
        """
        warnings = check_token(token, base_url)
        pixel = check_uuid(pixel_id, "Pixel ID")
        changes = Changes(
            since=since,
            snap_app_id=snap_app_id,
            ios_app_id=ios_app_id,
            android_app_id=android_app_id,
            api_version=api_version,
            base_url=base_url,
            requests_per_minute=requests_per_minute,
            web_age_days=web_age_days,
            offline_age_days=offline_age_days,
        )
        values = {
            "id": destination_id(check_workspace(workspace, self._workspaces), pixel),
            "workspace": workspace,
            "name": check_name(name),
            "pixel_id": pixel,
            "state": "live" if live else "paused",
            "state_since": self._now(),
            **check_changes(changes),
            **self._token_columns(token),
            **NOT_STOPPED,
        }
        self._refuse_taken(values)
        try:
            self._save(values, token)
        except IntegrityError:  # another process was faster
            raise DestinationTaken(
                "Another destination has just taken the name or the pixel. See `snap-pipeline destination list`."
            ) from None
        return self.get(name, workspace), warnings

    def get(self, name: str, workspace: str | None = None) -> Destination:
        """Return the destination of a name, in any workspace unless one is given.

        Raises:
            UnknownDestination: there is none, or it was removed.
        """
        for destination in self.list(workspace):
            if destination.name == name:
                return destination
        raise UnknownDestination(f"There is no destination {name[:64]!r}. See `snap-pipeline destination list`.")

    def list(self, workspace: str | None = None, *, include_removed: bool = False) -> list[Destination]:
        """Return the destinations of one workspace or of all, by workspace and name."""
        query = sa.select(*PUBLIC_COLUMNS).order_by(DESTINATIONS.c.name)
        if not include_removed:
            query = query.where(DESTINATIONS.c.state != "removed")
        found = []
        for each in self._workspaces if workspace is None else [workspace]:
            with self._database.transaction(each, read_only=True) as connection:
                rows = connection.execute(query.where(DESTINATIONS.c.workspace == each)).mappings()
                found += [Destination(**row) for row in rows]
        return sorted(found, key=lambda destination: (destination.workspace, destination.name))

    def set(self, name: str, **changes: Unpack[Changes]) -> None:
        """Change fields; id and receipts stay, and a stop is cleared.

        Raises:
            InvalidDestination: a value cannot be used; nothing is changed.
            UnknownDestination: there is none of that name.
        """
        self._update(self.get(name), check_changes(changes) | NOT_STOPPED)

    def pause(self, name: str) -> None:
        """Pause a destination: nothing is sent until `resume`, and pending events stay pending."""
        self._change_state(name, "paused", {})

    def resume(self, name: str) -> None:
        """Make a destination live, and clear a stop."""
        self._change_state(name, "live", NOT_STOPPED)

    def remove(self, name: str) -> None:
        """Remove a destination and its access token. Its row stays, for its history and so that its id comes back."""
        self._change_state(name, "removed", {"token_encrypted": None} | NOT_STOPPED)

    def rotate_token(self, name: str, token: AccessToken) -> Sequence[str]:
        """Replace the access token, clear a stop, and return warnings.

        Raises:
            InvalidDestination: it cannot be a token; the old one stays.
            UnknownDestination: there is none of that name.
        """
        destination = self.get(name)
        warnings = check_token(token, destination.base_url)
        self._update(destination, self._token_columns(token) | NOT_STOPPED, token)
        return warnings

    def access_token(self, destination: Destination) -> AccessToken:
        """Return the destination's token, for a request.

        Raises:
            SecretKeyError: it was encrypted with another key.
            DestinationError: the destination was removed, and its token with it.
        """
        query = sa.select(DESTINATIONS.c.token_encrypted).where(*row_of(destination))
        with self._database.transaction(destination.workspace) as connection:
            stored = connection.scalar(query)
            if stored is None:
                raise DestinationError(
                    f"{destination.name} was removed, and its access token with it. Add it again with "
                    "`snap-pipeline destination add`."
                )
            return self._open_cipher().decrypt(stored)

    def _refuse_taken(self, values: dict[str, Any]) -> None:
        for other in self.list():
            if other.name == values["name"]:
                raise DestinationTaken(
                    f"There is a destination {other.name!r} already, in workspace {other.workspace}. Choose another "
                    "name, or change it with `snap-pipeline destination set`."
                )
            if other.id == values["id"]:
                raise DestinationTaken(
                    f"The workspace sends to this pixel already, as {other.name!r}. Change it with "
                    "`snap-pipeline destination set`: its receipts stay, and nothing is sent twice."
                )

    def _save(self, values: dict[str, Any], token: AccessToken) -> None:
        """Insert a row, or bring a removed one back.

        Raises:
            IntegrityError: another destination has the name or the id.
        """
        now = self._now()
        removed = (DESTINATIONS.c.id == values["id"], DESTINATIONS.c.state == "removed")
        with self._database.transaction(values["workspace"]) as connection:
            values = values | {"token_encrypted": self._open_cipher().encrypt(token)}
            if not connection.execute(
                sa.update(DESTINATIONS).where(*removed).values(**values, updated_at=now)
            ).rowcount:
                connection.execute(sa.insert(DESTINATIONS).values(**values, created_at=now, updated_at=now))

    def _change_state(self, name: str, state: State, values: dict[str, Any]) -> None:
        destination = self.get(name)
        changed = {} if destination.state == state else {"state": state, "state_since": self._now()}
        self._update(destination, changed | values)

    def _update(self, destination: Destination, values: dict[str, Any], token: AccessToken | None = None) -> None:
        with self._database.transaction(destination.workspace) as connection:
            if token is not None:
                values = values | {"token_encrypted": self._open_cipher().encrypt(token)}
            connection.execute(
                sa.update(DESTINATIONS).where(*row_of(destination)).values(**values, updated_at=self._now())
            )

    def _token_columns(self, token: AccessToken) -> dict[str, Any]:
        text = token.reveal()
        return {
            "token_last_four": text[-SHOWN_TOKEN_CHARACTERS:] if len(text) >= SHORTEST_SHOWN_TOKEN else "",
            "token_set_at": self._now(),
        }
