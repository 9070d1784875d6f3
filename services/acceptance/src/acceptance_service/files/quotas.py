"""Whether there is room for one more file: of somebody within a day, and in one application."""

import math
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from acceptance_service.files.domain import QUOTA_SPAN, ApplicationFilesFull, Quota, UploadQuotaUsed
from acceptance_service.files.models import Blob, File

_USED = select(func.count(), func.coalesce(func.sum(Blob.size), 0), func.min(File.created_at)).join_from(
    File, Blob, Blob.address == File.address
)


async def need_room(session: AsyncSession, owner: str, quota: Quota, *, size: int, now: datetime) -> None:
    """One upload of somebody after the other, so that many at once do not all find the same room. Raises: UploadQuotaUsed."""
    await session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(f"upload:{owner}", 0))))
    lately = _USED.where(File.uploaded_by == owner, File.created_at > now - QUOTA_SPAN)
    files, total, oldest = (await session.execute(lately)).one()
    if not quota.holds(files=files + 1, size=int(total) + size):
        until = (oldest or now) + QUOTA_SPAN
        raise UploadQuotaUsed(quota, retry_after=max(math.ceil((until - now).total_seconds()), 1))


async def need_fitting(session: AsyncSession, application_id: UUID, quota: Quota) -> None:
    """What an application holds now is within its quota. Raises: ApplicationFilesFull."""
    files, total, _ = (await session.execute(_USED.where(File.application_id == application_id))).one()
    if not quota.holds(files=files, size=int(total)):
        raise ApplicationFilesFull(files=quota.files, mib=quota.size // 1024**2)
