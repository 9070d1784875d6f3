"""Loading and reading licence types."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import structlog
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from certificates_service.types.domain import (
    BadTypeFile,
    IssuerRule,
    NoSuchType,
    SurfaceField,
    TypeDefinition,
    Validity,
    ValidityRule,
    check_definitions,
    check_issuers,
)
from certificates_service.types.models import IssuerKind, LicenceType

logger = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Loaded:
    """What an import did."""

    added: int
    changed: int
    unchanged: int


async def import_types(
    session: AsyncSession,
    definitions: Sequence[TypeDefinition],
    *,
    kinds: Mapping[str, str],
    now: datetime,
) -> Loaded:
    """Loads all types of a file, or none. The same file again changes nothing.

    ``kinds`` are kinds of departments by credit code; what was told of others before stays. Raises: BadTypeFile.
    """
    known_kinds = set(kinds.values()) | set(await session.scalars(select(IssuerKind.kind).distinct()))
    problems = [*check_definitions(definitions), *check_issuers(definitions, known_kinds)]
    if problems:
        raise BadTypeFile(fields=problems)
    known = await types_by_code(session, [one.code for one in definitions])
    new = [one for one in definitions if one.code not in known]
    changed = [one for one in definitions if one.code in known and known[one.code] != one]
    if new or changed:
        statement = insert(LicenceType).values(
            [{**_columns(one), "imported_at": now} for one in new + changed]
        )
        newer = {column.name: column for column in statement.excluded if column.name != "code"}
        await session.execute(statement.on_conflict_do_update(index_elements=["code"], set_=newer))
    if kinds:
        rows = [{"uscc": uscc, "kind": kind} for uscc, kind in kinds.items()]
        told = insert(IssuerKind).values(rows)
        await session.execute(
            told.on_conflict_do_update(index_elements=["uscc"], set_={"kind": told.excluded.kind})
        )
    loaded = Loaded(len(new), len(changed), len(definitions) - len(new) - len(changed))
    logger.info("licence_types_imported", **asdict(loaded))
    return loaded


async def list_types(session: AsyncSession, *, after: str | None, limit: int) -> list[TypeDefinition]:
    """Types in the order of their codes, up to ``limit`` after a code."""
    query = select(LicenceType).order_by(LicenceType.code).limit(limit)
    if after is not None:
        query = query.where(LicenceType.code > after)
    return [_definition(row) for row in await session.scalars(query)]


async def read_type(session: AsyncSession, code: str) -> TypeDefinition:
    """Raises: NoSuchType."""
    row = await session.get(LicenceType, code)
    if row is None:
        raise NoSuchType
    return _definition(row)


async def types_by_code(session: AsyncSession, codes: Iterable[str]) -> Mapping[str, TypeDefinition]:
    """Those of the codes that are known."""
    rows = await session.scalars(select(LicenceType).where(LicenceType.code.in_(set(codes))))
    return {row.code: _definition(row) for row in rows}


async def kinds_by_uscc(session: AsyncSession, usccs: Iterable[str]) -> Mapping[str, str]:
    """Kinds of those departments that the catalogue knows."""
    rows = await session.scalars(select(IssuerKind).where(IssuerKind.uscc.in_(set(usccs))))
    return {row.uscc: row.kind for row in rows}


def _columns(definition: TypeDefinition) -> dict[str, Any]:
    return asdict(definition)


def _definition(row: LicenceType) -> TypeDefinition:
    validity = {**row.validity, "rule": ValidityRule(row.validity["rule"])}
    return TypeDefinition(
        code=row.code,
        name=row.name,
        aliases=tuple(row.aliases),
        is_official=row.is_official,
        code_known=row.code_known,
        category=row.category,
        authority=row.authority,
        holder_kind=row.holder_kind,
        validity=Validity(**validity),
        qr_lifetime_seconds=row.qr_lifetime_seconds,
        surface_fields=tuple(SurfaceField(**field) for field in row.surface_fields),
        issuers=tuple(IssuerRule(**rule) for rule in row.issuers),
        origin=row.origin,
    )
