"""Words of the catalogue, and the life of its entries: draft, reviewed by a second person, published, retired. Pure."""

from dataclasses import dataclass
from enum import StrEnum

from service_common.errors import Conflict, Forbidden, Invalid, NotFound


class LimitUnit(StrEnum):
    """Units of a time limit 时限单位."""

    WORKDAY = "WORKDAY"
    CALENDAR_DAY = "CALENDAR_DAY"
    HOUR = "HOUR"


@dataclass(frozen=True, slots=True)
class Limit:
    """A time limit as the guide states it."""

    value: int
    unit: LimitUnit


class ProjectType(StrEnum):
    """Case types 办件类型: on the spot, within a promised period, joint, forwarded to the upper level."""

    IMMEDIATE = "IMMEDIATE"
    PROMISED = "PROMISED"
    JOINT = "JOINT"
    FORWARDED = "FORWARDED"


class ApplicantKind(StrEnum):
    """Whom an item serves 服务对象."""

    NATURAL_PERSON = "NATURAL_PERSON"
    LEGAL_PERSON = "LEGAL_PERSON"


class Completeness(StrEnum):
    """Whether a full guide of the item was read, or only what a list says about it."""

    GUIDE = "guide"
    LINK_ONLY = "link_only"


class EntryKind(StrEnum):
    """What the catalogue holds in versions."""

    ITEM = "items"
    BUNDLE = "bundles"
    LIST = "lists"


class ListName(StrEnum):
    """Reference lists that the catalogue needs beside items and bundles."""

    DEPARTMENTS = "departments"
    THEMES = "themes"
    SYNONYMS = "synonyms"


class ImportKind(StrEnum):
    """What a file holds."""

    ITEMS = "items"
    BUNDLE = "bundle"
    DEPARTMENTS = "departments"
    THEMES = "themes"
    SYNONYMS = "synonyms"

    @property
    def entry_kind(self) -> EntryKind:
        """Where its rows go."""
        if self is ImportKind.ITEMS:
            return EntryKind.ITEM
        return EntryKind.BUNDLE if self is ImportKind.BUNDLE else EntryKind.LIST


class EntryState(StrEnum):
    """The life of one version."""

    DRAFT = "DRAFT"
    IN_REVIEW = "IN_REVIEW"
    APPROVED = "APPROVED"
    PUBLISHED = "PUBLISHED"
    RETIRED = "RETIRED"


class Action(StrEnum):
    """What an operator does with a version."""

    SUBMIT_REVIEW = "submit-review"
    APPROVE = "approve"
    SEND_BACK = "send-back"
    PUBLISH = "publish"
    RETIRE = "retire"


_NEXT = {
    (EntryState.DRAFT, Action.SUBMIT_REVIEW): EntryState.IN_REVIEW,
    (EntryState.IN_REVIEW, Action.APPROVE): EntryState.APPROVED,
    (EntryState.IN_REVIEW, Action.SEND_BACK): EntryState.DRAFT,
    (EntryState.APPROVED, Action.SEND_BACK): EntryState.DRAFT,
    (EntryState.APPROVED, Action.PUBLISH): EntryState.PUBLISHED,
    (EntryState.PUBLISHED, Action.RETIRE): EntryState.RETIRED,
    # A draft that a newer import replaced.
    (EntryState.DRAFT, Action.RETIRE): EntryState.RETIRED,
}


class NotInThatState(Conflict):
    """The version is elsewhere in its life."""

    code = "entry_state"
    zh = "{code} 第 {entry_version} 版处于 {state} 状态，不能进行 {action} 操作。"
    en = "Version {entry_version} of {code} is {state}: {action} is not possible."


class NothingInThatState(Conflict):
    """No version of the import waits for this step."""

    code = "nothing_in_that_state"
    zh = "本次导入中没有可进行 {action} 操作的内容。"
    en = "Nothing of this import waits for {action}."


class OwnReview(Forbidden):
    """Four eyes: nobody approves what they brought in."""

    code = "own_review"
    zh = "提交人不能复核自己提交的内容，请由另一名目录管理人员复核。"
    en = "Nobody reviews their own submission: another operator must."


class NoSuchEntry(NotFound):
    """Not in the catalogue, or not published."""

    code = "no_such_entry"
    zh = "目录中没有 {code}。"
    en = "The catalogue has no {code}."


class NoSuchImport(NotFound):
    """The id is of no import."""

    code = "no_such_import"
    zh = "没有这次导入。"
    en = "There is no such import."


class BadFile(Invalid):
    """At least one row of a file is wrong; nothing of it was loaded."""

    code = "bad_rows"
    zh = "文件中有 {count} 处错误，未导入任何内容。"
    en = "The file has {count} faults; nothing of it was loaded."


class DepartmentsUnknown(Conflict):
    """An entry refers to a department that identity has not told us of."""

    code = "departments_unknown"
    zh = "部门 {missing} 尚未在统一身份平台登记，不能发布。"
    en = "Departments {missing} are not known to identity yet: nothing was published."


class ItemsNotPublished(Conflict):
    """A bundle can only be published when its items are."""

    code = "items_not_published"
    zh = "事项 {missing} 尚未发布，不能发布一件事 {code}。"
    en = "Items {missing} are not published, so bundle {code} cannot be."


class StillInUse(Conflict):
    """A published bundle refers to the item."""

    code = "item_in_use"
    zh = "事项 {code} 仍属于已发布的一件事 {bundles}，不能停用。"
    en = "Item {code} still belongs to the published bundles {bundles}."


class GuideMissing(Conflict):
    """The catalogue knows that the item exists, not what it needs."""

    code = "guide_missing"
    zh = "事项 {code} 的办事指南尚未收录，暂不能在线申请。"
    en = "The guide of item {code} is not in the catalogue: it cannot be applied for alone."


def next_state(code: str, entry_version: int, state: EntryState, action: Action) -> EntryState:
    """Raises: NotInThatState."""
    following = _NEXT.get((state, action))
    if following is None:
        raise NotInThatState(code=code, entry_version=entry_version, state=state, action=action)
    return following


def check_four_eyes(*, brought_in_by: str, submitted_by: str | None, reviewer: str) -> None:
    """Who imported or submitted a version does not approve it. Raises: OwnReview."""
    if reviewer in (brought_in_by, submitted_by):
        raise OwnReview


def division_of_theme(code: str) -> str:
    """The province in whose numbering a theme code stands: its first two digits."""
    return f"{code[:2]}0000000000"


def display_title(title: str) -> str:
    """A theme's title without the words that every theme has and stray quotes: 退休“一件事” → 退休."""
    return title.replace("“一件事”", "").replace("一件事", "").strip(' “”"')
