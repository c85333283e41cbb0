"""The destinations as the state database keeps them, one workspace at a time.

Row-level security on Postgres shows a transaction the rows of the workspace that it names; the same condition
stands in every statement, so that SQLite gives the same answers.
"""

from collections.abc import Callable, Sequence
from dataclasses import fields
from datetime import UTC, datetime
from typing import Any, Unpack

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from snap_pipeline.backoff import BETWEEN_RUNS
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
from snap_pipeline.destinations.token_cipher import TokenCipher
from snap_pipeline.state.database import Database
from snap_pipeline.state.tables import DESTINATIONS, UtcDateTime

__all__ = ["Changes", "Destination", "DestinationStore"]

PUBLIC_COLUMNS = [DESTINATIONS.c[field.name] for field in fields(Destination)]
NOT_STOPPED: dict[str, Any] = {
    "stopped_at": None,
    "stop_count": 0,
    "stop_category": None,
    "stop_message": None,
    "retry_at": None,
}
SHOWN_TOKEN_CHARACTERS = 4
SHORTEST_SHOWN_TOKEN = 12
MESSAGE_CHARACTERS = 1_000


class DestinationStore:
    """Adds, finds and changes destinations.

    A name stands for one destination over all workspaces, since commands take nothing else.

    Args:
        database: migrated.
        open_cipher: gives the cipher of the access tokens. It is called for each token inside the transaction that
            reads or saves it, since `rotate-key` replaces keys and tokens under the same lock (`rotation.py`).
        workspaces: the names that are configured; destinations of others are not seen.
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
        api_version: ApiVersion = DEFAULT_VERSION,
        base_url: str = "https://tr.snapchat.com",
        requests_per_minute: int = REQUESTS_PER_MINUTE,
        web_age_days: int = WEB_AGE_DAYS,
        offline_age_days: int = OFFLINE_AGE_DAYS,
    ) -> tuple[Destination, list[str]]:
        """Saves a destination and returns it, with warnings. One that was removed comes back under its old id.

        Args:
            name: what the user calls it.
            workspace: whose events it receives.
            pixel_id: UUID, from Events Manager.
            since: the key of the first hour that it is owed.
            token: the access token.
            live: whether it is sent to from now on; it is paused otherwise.
            snap_app_id: UUID, for app events; without it they are not sent.
            api_version: of the Conversions API.
            base_url: of Snap's servers, or of the sandbox.
            requests_per_minute: the access token's limit.
            web_age_days: see `Destination`.
            offline_age_days: see `Destination`.

        Raises:
            InvalidDestination: a field cannot be used; nothing is stored.
            DestinationTaken: the name, or the workspace's pixel, is in use; nothing is stored.
        """
        warnings = check_token(token)
        pixel = check_uuid(pixel_id, "Pixel ID")
        changes = Changes(
            since=since,
            snap_app_id=snap_app_id,
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
        except IntegrityError:  # somebody else was faster
            raise DestinationTaken("The name or the pixel was taken by another destination just now.") from None
        return self.get(name, workspace), warnings

    def get(self, name: str, workspace: str | None = None) -> Destination:
        """The destination of a name, in any workspace unless one is given.

        Raises:
            UnknownDestination: there is none, or it was removed.
        """
        for destination in self.list(workspace):
            if destination.name == name:
                return destination
        raise UnknownDestination(f"There is no destination {name[:64]!r}. See `snap-pipeline destination list`.")

    def list(self, workspace: str | None = None, *, include_removed: bool = False) -> list[Destination]:
        """The destinations of one workspace or of all, by workspace and name."""
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
        """Change what `Changes` names; id and receipts stay, and a stop is forgotten.

        Raises:
            InvalidDestination: a value cannot be used; nothing is changed.
            UnknownDestination: there is none of that name.
        """
        self._update(self.get(name), check_changes(changes) | NOT_STOPPED)

    def pause(self, name: str) -> None:
        """Sends nothing until `resume`; what is pending stays."""
        self._become(name, "paused", {})

    def resume(self, name: str) -> None:
        """Makes it live, and forgets a stop."""
        self._become(name, "live", NOT_STOPPED)

    def remove(self, name: str) -> None:
        """Removes it and its access token. Its row stays, so that its history can be told and its id comes back."""
        self._become(name, "removed", {"token_encrypted": None} | NOT_STOPPED)

    def rotate_token(self, name: str, token: AccessToken) -> Sequence[str]:
        """Replaces the access token, forgets a stop, and returns warnings.

        Raises:
            InvalidDestination: it can be no token; the old one stays.
            UnknownDestination: there is none of that name.
        """
        warnings = check_token(token)
        self._update(self.get(name), self._token_columns(token) | NOT_STOPPED, token)
        return warnings

    def access_token(self, destination: Destination) -> AccessToken:
        """The destination's token, for a request.

        Raises:
            SecretKeyError: it was encrypted with another key.
            DestinationError: the destination was removed, and its token with it.
        """
        query = sa.select(DESTINATIONS.c.token_encrypted).where(*_is(destination))
        with self._database.transaction(destination.workspace) as connection:
            stored = connection.scalar(query)
            if stored is None:
                raise DestinationError(
                    f"{destination.name} was removed and has no access token any more. Add it again."
                )
            return self._open_cipher().decrypt(stored)

    def record_stop(self, destination: Destination, category: str, message: str) -> datetime:
        """Notes that a run was stopped, and returns when to try again: after 5, 10, 20, 40, then every 60 minutes.

        An hour of which nothing got through counts as a stop. Stops before that moment, of other hours' runs, do not
        put it off further.

        Args:
            destination: that was stopped.
            category: of the answer.
            message: what happened and what to do, without the token.
        """
        now = self._now()
        text = message[:MESSAGE_CHARACTERS]
        values = {"stop_category": category, "stop_message": text, "last_error": text, "last_error_at": now}
        before = sa.select(DESTINATIONS.c.stop_count, DESTINATIONS.c.retry_at).where(*_is(destination))
        with self._database.transaction(destination.workspace) as connection:
            count: int
            retry_at: datetime | None
            count, retry_at = connection.execute(before.with_for_update()).tuples().one()
            if retry_at is None or retry_at <= now:
                count += 1
                retry_at = now + BETWEEN_RUNS.delay(count)
            values |= {"stop_count": count, "retry_at": retry_at}
            values |= {"stopped_at": sa.func.coalesce(DESTINATIONS.c.stopped_at, sa.literal(now, UtcDateTime))}
            connection.execute(sa.update(DESTINATIONS).where(*_is(destination)).values(values))
        return retry_at

    def record_success(self, destination: Destination) -> None:
        """Notes that a run went through; a stop before it is over."""
        self._update(destination, {"last_success_at": self._now()} | NOT_STOPPED)

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
        """Inserts, or brings a removed row back; IntegrityError where one that is not removed is in the way."""
        now = self._now()
        removed = (DESTINATIONS.c.id == values["id"], DESTINATIONS.c.state == "removed")
        with self._database.transaction(values["workspace"]) as connection:
            values = values | {"token_encrypted": self._open_cipher().encrypt(token)}
            if not connection.execute(
                sa.update(DESTINATIONS).where(*removed).values(**values, updated_at=now)
            ).rowcount:
                connection.execute(sa.insert(DESTINATIONS).values(**values, created_at=now, updated_at=now))

    def _become(self, name: str, state: State, values: dict[str, Any]) -> None:
        destination = self.get(name)
        changed = {} if destination.state == state else {"state": state, "state_since": self._now()}
        self._update(destination, changed | values)

    def _update(self, destination: Destination, values: dict[str, Any], token: AccessToken | None = None) -> None:
        with self._database.transaction(destination.workspace) as connection:
            if token is not None:
                values = values | {"token_encrypted": self._open_cipher().encrypt(token)}
            connection.execute(
                sa.update(DESTINATIONS).where(*_is(destination)).values(**values, updated_at=self._now())
            )

    def _token_columns(self, token: AccessToken) -> dict[str, Any]:
        text = token.reveal()
        return {
            "token_last_four": text[-SHOWN_TOKEN_CHARACTERS:] if len(text) >= SHORTEST_SHOWN_TOKEN else "",
            "token_set_at": self._now(),
        }


def _is(destination: Destination) -> tuple[sa.ColumnElement[bool], ...]:
    return DESTINATIONS.c.id == destination.id, DESTINATIONS.c.workspace == destination.workspace
