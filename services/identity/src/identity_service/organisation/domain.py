"""Divisions, departments and staff: their rules."""

from collections.abc import Collection
from enum import StrEnum

from gov_rules.divisions import find_division, parse_area_code
from gov_rules.errors import InvalidIdentifier
from gov_rules.identifiers import parse_credit_code
from service_common.errors import Conflict, FieldProblem, Forbidden, Invalid, NotFound

ISSUER_NAME = "联办"
"""As an authenticator shows it."""


class Role(StrEnum):
    """What a staff member may do; the scopes say it in detail."""

    CLERK = "clerk"
    APPROVER = "approver"
    HOTLINE_AGENT = "hotline_agent"
    SUPERVISOR = "supervisor"
    OPERATOR = "operator"


ROLE_LABELS = {
    Role.CLERK: "综合窗口人员",
    Role.APPROVER: "审批人员",
    Role.HOTLINE_AGENT: "热线坐席",
    Role.SUPERVISOR: "监督管理人员",
    Role.OPERATOR: "平台运维人员",
}


class Decision(StrEnum):
    """What became of a request for roles."""

    PENDING = "PENDING"
    APPROVED = "APPROVED"
    REJECTED = "REJECTED"
    LAPSED = "LAPSED"


DECISION_LABELS = {
    Decision.PENDING: "待复核",
    Decision.APPROVED: "已同意",
    Decision.REJECTED: "已驳回",
    Decision.LAPSED: "已失效",
}


class RequestKind(StrEnum):
    """What waits for a second operator: high roles for somebody, or new credentials of who holds one."""

    ROLES = "ROLES"
    CREDENTIALS = "CREDENTIALS"


class ResetReason(StrEnum):
    """Why somebody in office gets a new password and second factor. Words of a list: the history keeps no free text."""

    FORGOTTEN_PASSWORD = "FORGOTTEN_PASSWORD"  # noqa: S105 - no password
    LOST_SECOND_FACTOR = "LOST_SECOND_FACTOR"
    SUSPECTED_MISUSE = "SUSPECTED_MISUSE"
    BACK_IN_OFFICE = "BACK_IN_OFFICE"


RESET_REASON_LABELS = {
    ResetReason.FORGOTTEN_PASSWORD: ("忘记密码", "forgotten password"),
    ResetReason.LOST_SECOND_FACTOR: ("动态口令设备丢失或更换", "lost or replaced second factor"),
    ResetReason.SUSPECTED_MISUSE: ("怀疑账号被他人使用", "suspected misuse"),
    ResetReason.BACK_IN_OFFICE: ("返岗", "back in office"),
}


class NotForOneself(Forbidden):
    """Who has forgotten the own password asks a colleague."""

    code = "not_for_oneself"
    zh = "不能为自己重置登录凭据，请由其他管理人员办理。"
    en = "Nobody resets the own credentials: ask another administrator."


class NotInOffice(Conflict):
    """An account that is closed is opened by a reassignment first."""

    code = "not_in_office"
    zh = "该工作人员已离岗，请先办理调动恢复。"
    en = "This person is not in office: reassign them first."


class NoSuchRoleRequest(NotFound):
    """The id is of no request."""

    code = "no_such_role_request"
    zh = "没有该角色申请。"
    en = "There is no such request for roles."


class DecidedAlready(Conflict):
    """Approved, rejected, or lapsed because the person moved or left."""

    code = "role_request_decided"
    zh = "该角色申请已处理或已失效。"
    en = "This request was decided, or has lapsed."


class FourEyesNeeded(Forbidden):
    """Who asks does not decide, and nobody decides about himself."""

    code = "four_eyes_needed"
    zh = "须由申请人和本人之外的另一名运维人员复核。"
    en = "A second operator decides, who is neither the one who asked nor the one it is for."


class NoSuchDepartment(NotFound):
    """The id is of no department."""

    code = "no_such_department"
    zh = "没有该部门。"
    en = "There is no such department."


class NoSuchStaff(NotFound):
    """The id is of nobody, or of somebody in another department."""

    code = "no_such_staff"
    zh = "没有该工作人员。"
    en = "There is no such staff member."


class NoSuchDivision(NotFound):
    """The code is not in the table."""

    code = "no_such_division"
    zh = "没有该行政区划。"
    en = "There is no such division."


class DepartmentExists(Conflict):
    """A department is known by its credit code and the suffix of the unit inside it."""

    code = "department_exists"
    zh = "该统一社会信用代码（及内设机构后缀）的部门已存在。"
    en = "A department with this credit code and unit suffix exists."


class DepartmentTreeBroken(Conflict):
    """A department below itself, or an active one below an inactive one."""

    code = "department_tree_broken"
    zh = "上级部门不能是自身或其下级，且必须为有效部门。"
    en = "The parent must be active, and not the department itself or one below it."


class NotYourDepartment(Forbidden):
    """Only operators act outside their own department."""

    code = "not_your_department"
    zh = "您只能管理本部门。"
    en = "You can manage your own department only."


class InvalidDivision(Invalid):
    """An area code that names no place."""

    code = "invalid_division"
    zh = "行政区划代码无效。"
    en = "The division code is not valid."


class InvalidCreditCode(Invalid):
    """Not a unified social credit code."""

    code = "invalid_credit_code"
    zh = "统一社会信用代码无效。"
    en = "The unified social credit code is not valid."


def normal_area_code(text: str, *, pointer: str = "/division") -> str:
    """Twelve digits; to the county it must be in the official table. Raises: InvalidDivision."""
    try:
        area = parse_area_code(text)
    except InvalidIdentifier as error:
        raise InvalidDivision(fields=[FieldProblem(pointer, error.code, error.zh, error.en)]) from error
    if not area.is_nation and find_division(area.value) is None:
        unknown = FieldProblem(
            pointer,
            "division_unknown",
            "行政区划代码不在现行区划表中。",
            "The code is not in the table of divisions.",
        )
        raise InvalidDivision(fields=[unknown])
    return area.value


def normal_credit_code(text: str, *, pointer: str = "/uscc") -> str:
    """A valid code in upper case. Raises: InvalidCreditCode."""
    try:
        return parse_credit_code(text).value
    except InvalidIdentifier as error:
        raise InvalidCreditCode(fields=[FieldProblem(pointer, error.code, error.zh, error.en)]) from error


def needs_second_operator(roles: Collection[str], *, high: Collection[Role]) -> bool:
    """Whether new credentials of somebody with these roles are another way to a high role."""
    return any(role in high for role in roles)


def set_apart(
    wanted: Collection[Role], *, held: Collection[str], high: Collection[Role]
) -> tuple[frozenset[Role], frozenset[Role]]:
    """The roles that are granted at once, and those that a second operator has to approve: high ones not held yet."""
    waiting = frozenset(role for role in wanted if role in high and role not in held)
    return frozenset(wanted) - waiting, waiting
