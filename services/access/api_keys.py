"""Which machines may call, for whom do they speak, and until when?

A secret is `kap_` and 256 random bits; it is shown once and only its SHA-256 is kept. A key that is unknown,
expired or revoked is the same to its bearer: nothing. Revoking takes effect with the next request, because every
request asks the database; when it was last used is noted once a minute at most.
"""

import hashlib
import secrets
from collections.abc import Collection
from datetime import datetime, timedelta

from sqlalchemy import ARRAY, ColumnElement, Text, case, cast, func, or_, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from clinical.people import Actor
from services.access.audit import add_event
from services.access.errors import IssuedAlready, NotThere
from services.access.tables import ApiKeyRow
from services.access.views import ApiKeyView, Looked, MachineCaller, NewApiKey, RevokedFor
from services.database import Database, counted

PREFIX = "kap_"
SECRET_BYTES = 32
PURPOSE = "HOPERAT"
NOTED_EVERY = timedelta(minutes=1)


class ApiKeys:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def issue(self, new: NewApiKey, issuer: Actor, trace_id: str = "") -> str:
        """The secret, this once. Raises IssuedAlready when a key with this id is there."""
        secret = PREFIX + secrets.token_urlsafe(SECRET_BYTES)
        values = {
            "id": new.key_id, "secret_hash": _hash(secret), "name": new.name,
            "roles": [role.value for role in new.roles], "sites": list(new.sites),
            "issued_by": issuer.id, "expires_at": new.expires_at,
        }  # fmt: skip
        async with self._database.transaction() as session:
            added = await session.execute(
                insert(ApiKeyRow).values(values).on_conflict_do_nothing().returning(ApiKeyRow.id)
            )
            if added.first() is None:
                raise IssuedAlready("the secret of this key was shown when it was issued")
            await _note(session, "issue_api_key", new.key_id, new.sites, issuer, trace_id)
        return secret

    async def bearer(self, secret: str) -> MachineCaller | None:
        """For whom this secret speaks now; None for whatever is not a live key."""
        async with self._database.transaction() as session:
            now = func.clock_timestamp()
            alive = (
                ApiKeyRow.secret_hash == _hash(secret),
                ApiKeyRow.revoked_at.is_(None),
                ApiKeyRow.expires_at > now,
            )
            row = await session.scalar(select(ApiKeyRow).where(*alive))
            if row is None:
                return None
            stale = or_(ApiKeyRow.last_used_at.is_(None), ApiKeyRow.last_used_at < now - NOTED_EVERY)
            used = update(ApiKeyRow).where(ApiKeyRow.id == row.id, stale).values(last_used_at=now)
            await session.execute(used.execution_options(synchronize_session=False))
            return MachineCaller.model_validate(
                {"key_id": row.id, "roles": frozenset(row.roles), "sites": frozenset(row.sites)}
            )

    async def keys(
        self, sites: Collection[str], *, cursor: tuple[datetime, str] | None = None, limit: int = 50
    ) -> list[ApiKeyView]:
        """Keys of these sites, newest first; the cursor is (issued_at, key_id) of the last one seen."""
        wanted = select(ApiKeyRow).where(_of(sites))
        if cursor is not None:
            wanted = wanted.where(tuple_(ApiKeyRow.issued_at, ApiKeyRow.id) < cursor)
        newest = wanted.order_by(ApiKeyRow.issued_at.desc(), ApiKeyRow.id.desc()).limit(limit)
        async with self._database.reading() as session:
            return [_view(row, sites) for row in await session.scalars(newest)]

    async def counts(self, sites: Collection[str]) -> dict[str, int]:
        """Keys that open something, keys whose time is over, keys that were revoked."""
        lives = case(
            (ApiKeyRow.revoked_at.is_not(None), "revoked"),
            (ApiKeyRow.expires_at <= func.clock_timestamp(), "expired"),
            else_="active",
        )
        one = select(lives.label("status")).where(_of(sites)).subquery()
        async with self._database.reading() as session:
            return await counted(session, one.c.status)

    async def revoke(
        self, key_id: str, sites: Collection[str], revoker: Actor, why: RevokedFor, trace_id: str = ""
    ) -> ApiKeyView:
        """From now on it opens nothing; revoking twice answers the same. Raises NotThere."""
        async with self._database.transaction() as session:
            this = select(ApiKeyRow).where(ApiKeyRow.id == key_id, _of(sites)).with_for_update()
            row = await session.scalar(this)
            if row is None:
                raise NotThere("there is no such key")
            if row.revoked_at is None:
                row.revoked_at = (await session.execute(select(func.clock_timestamp()))).scalar_one()
                row.revoked_by, row.revoked_for = revoker.id, why.value
                await _note(session, "revoke_api_key", key_id, row.sites, revoker, trace_id)
            return _view(row, sites)


async def _note(
    session: AsyncSession, act: str, key_id: str, sites: Collection[str], actor: Actor, trace_id: str
) -> None:
    """In the audit of every site that the key is for; always in one order, so that two never wait in a circle."""
    for site in sorted(sites):
        looked = Looked(
            site=site,
            actor_id=actor.id,
            actor_role=actor.role.value,
            act=act,
            purpose=PURPOSE,
            object_id=f"api-key/{key_id}",
            trace_id=trace_id,
        )
        await add_event(session, looked)


def _of(sites: Collection[str]) -> ColumnElement[bool]:
    return func.jsonb_exists_any(ApiKeyRow.sites, cast(sorted(sites), ARRAY(Text)))


def _view(row: ApiKeyRow, sites: Collection[str]) -> ApiKeyView:
    fields = {name: getattr(row, name) for name in ApiKeyView.model_fields if name != "key_id"}
    seen = [site for site in row.sites if site in sites]
    return ApiKeyView.model_validate({**fields, "key_id": row.id, "sites": seen})


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
