"""Rules of webhooks: who may hear of what, how a delivery is tried again, and when a receiver is given up.

After the Standard Webhooks specification (standardwebhooks.com): thin payloads, signed, at least once, no promise of
order.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from urllib.parse import urlsplit

from service_common.errors import Conflict, Forbidden, Invalid, NotFound


class EventType(StrEnum):
    """What a department's system can be told. Never anything about who reviewed, or who looked at a licence."""

    CASE_SUBMITTED = "case.submitted"
    CASE_WITHDRAWN = "case.withdrawn"
    CASE_FINISHED = "case.finished"
    CARD_ISSUED = "card.issued"
    LICENCE_ISSUED = "licence.issued"
    LICENCE_STATUS_CHANGED = "licence.status-changed"
    TICKET_DISPATCHED = "ticket.dispatched"
    RECTIFICATION_OPENED = "rectification.opened"


VERIFICATION = "endpoint.verification"


class EndpointStatus(StrEnum):
    """A receiver is told nothing before it has proved that it wants to be."""

    PENDING = "PENDING"
    ACTIVE = "ACTIVE"
    DISABLED = "DISABLED"


class DisabledReason(StrEnum):
    """Why a receiver is told nothing any more."""

    GONE = "GONE"  # it answered 410
    UNREACHABLE = "UNREACHABLE"  # no delivery succeeded for the length of a whole schedule


class DeliveryStatus(StrEnum):
    """One message on its way to one receiver."""

    PENDING = "PENDING"
    DELIVERED = "DELIVERED"
    FAILED = "FAILED"  # every try of the schedule is used up
    CANCELLED = "CANCELLED"  # the receiver was disabled before


class NoSuchWebhook(NotFound):
    """Not there, or another department's."""

    code = "no_such_webhook"
    zh = "没有这个 Webhook 订阅。"
    en = "There is no such webhook."


class NoDepartment(Forbidden):
    """The caller belongs to no department, and webhooks tell departments what concerns them."""

    code = "no_department"
    zh = "只有部门的账号或系统可以订阅 Webhook。"
    en = "Only accounts and systems of a department can have webhooks."


class BadReceiver(Invalid):
    """The address cannot be one that we deliver to."""

    code = "bad_receiver"
    zh = "接收地址无效：须为 https、可公开访问且不含账号信息的地址。"
    en = "Not a valid receiver: it must be an https URL, publicly reachable, without credentials in it."


class TooManyWebhooks(Conflict):
    """A department has a bounded number of receivers."""

    code = "too_many_webhooks"
    zh = "每个部门最多 {most} 个 Webhook 订阅。"
    en = "A department has at most {most} webhooks."


class NotVerified(Conflict):
    """Nothing is sent to a receiver that has not proved itself."""

    code = "webhook_not_active"
    zh = "该订阅尚未通过验证或已停用，请先重新验证。"
    en = "This webhook is not active: verify it first."


MOST_PER_DEPARTMENT = 20

# After the first try: the schedule of the Standard Webhooks specification, ten tries over 75 hours.
RETRY_DELAYS = (
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=24),
)
MOST_TRIES = len(RETRY_DELAYS) + 1
# Receivers that failed together must not be called again together.
_JITTER = 0.1
_LONGEST_RETRY_AFTER = timedelta(hours=24)
SECRET_OVERLAP = timedelta(hours=24)


def next_try(
    tries: int, *, now: datetime, chance: float, retry_after: timedelta | None = None
) -> datetime | None:
    """When to try again after ``tries`` failures, or None when it is given up. ``chance`` is drawn from 0 to 1."""
    if tries >= MOST_TRIES:
        return None
    delay = RETRY_DELAYS[tries - 1] * (1 + _JITTER * (2 * chance - 1))
    if retry_after is not None:
        delay = max(delay, min(retry_after, _LONGEST_RETRY_AFTER))
    return now + delay


def is_unreachable(*, created_at: datetime, last_success_at: datetime | None) -> bool:
    """Whether a receiver is given up with a delivery that used all its tries: nothing succeeded while it was tried."""
    return last_success_at is None or last_success_at < created_at


def check_receiver(url: str, *, loopback_allowed: bool) -> None:
    """Refuses what can be refused by reading the address; where it leads is checked at each connection.

    Raises: BadReceiver.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise BadReceiver from error
    secure = parts.scheme == "https" or (loopback_allowed and parts.scheme == "http")
    readable = url.isascii() and url.isprintable() and " " not in url
    if (
        not readable
        or not secure
        or not parts.hostname
        or parts.username
        or parts.password
        or parts.fragment
        or port == 0
    ):
        raise BadReceiver


def payload(event_type: str, occurred_at: datetime, data: Mapping[str, Any]) -> dict[str, Any]:
    """The thin payload: what happened, when, and where to read the rest with one's own rights."""
    return {
        "type": event_type,
        "timestamp": occurred_at.isoformat().replace("+00:00", "Z"),
        "data": dict(data),
    }
