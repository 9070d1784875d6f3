"""What an action asks for beyond the right state: reasons, remedies, staff, materials, who may decide. Pure."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from uuid import UUID

from acceptance_service.cases.domain.states import CaseStatus
from service_common.contracts.certificates import LicenceStatus
from service_common.errors import Conflict, FieldProblem, Forbidden, Invalid, NotFound

SITE_CHECK_STAFF = 2
# The seed documents name 3 to 10 days; an item's list may say less.
LONGEST_SUPPLEMENT_WORKDAYS = 10


class AcceptanceMode(StrEnum):
    """How a case is accepted: complete, with listed gaps 容缺受理, or on the applicant's promise 告知承诺."""

    REGULAR = "REGULAR"
    TOLERANCE = "TOLERANCE"
    PROMISE = "PROMISE"


class TaskKind(StrEnum):
    """What a task of a case is."""

    STEP = "STEP"
    CONSULTATION = "CONSULTATION"
    SITE_CHECK = "SITE_CHECK"


class TaskStatus(StrEnum):
    """Whether a task is still to be done."""

    OPEN = "OPEN"
    DONE = "DONE"
    CANCELLED = "CANCELLED"


class DocumentKind(StrEnum):
    """Written acts of a case; the value is the kind in their number."""

    RECEIPT = "收件"
    RETURN = "退回"
    CORRECTION = "补正"
    ACCEPTANCE = "受理"
    NOT_ACCEPTED = "不予受理"
    SPECIAL_PROCEDURE = "特别程序"
    EXTENSION = "延期"
    APPROVAL = "准予"
    REJECTION = "不予许可"
    TERMINATION = "终止"


class ReasonsMissing(Invalid):
    """A refusal needs reasons, and the ways to challenge it (行政许可法 Art. 38)."""

    code = "reasons_missing"
    zh = "不予受理或不予许可应当说明理由，并告知行政复议和行政诉讼的权利。"
    en = "A refusal states its reasons and the right to administrative review and to sue."


class SecondCorrection(Conflict):
    """Everything missing is told at once, and once (Art. 32 (4))."""

    code = "second_correction_notice"
    zh = "已发出一次性告知，不得再次要求补正。"
    en = "The one-off notice was given already: a second one is not lawful."


class CorrectionEmpty(Invalid):
    """A notice that names nothing."""

    code = "correction_empty"
    zh = "一次性告知应列明需要补正的全部内容。"
    en = "The one-off notice lists everything that is missing."


class NotTolerated(Invalid):
    """A missing material is not on the item's tolerance list."""

    code = "not_tolerated"
    zh = "以下材料不在可容缺清单内：{materials}。"
    en = "These materials are not on the tolerance list: {materials}."


class ToleranceNotPromised(Conflict):
    """The applicant has not promised to supplement."""

    code = "tolerance_not_promised"
    zh = "申请人未签署容缺补交承诺。"
    en = "The applicant has not promised to supplement what is missing."


class NoticeAndPromiseNotOffered(Conflict):
    """The item is not on the list of notification and commitment, or nothing was promised."""

    code = "notify_promise_not_offered"
    zh = "该事项不适用告知承诺，或申请人未签署承诺。"
    en = "The item is not decided on a promise, or the applicant has not promised."


class MaterialsMissing(Conflict):
    """Something required is not there."""

    code = "materials_missing"
    zh = "尚缺必备材料：{materials}。"
    en = "Required materials are missing: {materials}."


class LicenceLapsed(Conflict):
    """A licence stood in for a material when the application was handed in, and has fallen since."""

    code = "waiving_licence_lapsed"
    zh = "免交材料所依据的电子证照已不再有效，须由申请人重新提供：{materials}。"
    en = "The licence that stood in for a material is no longer valid; the applicant provides it anew: {materials}."


class OwnApplication(Forbidden):
    """Nobody decides what they applied for or handed in (行政机关工作人员回避)."""

    code = "own_application"
    zh = "不得办理本人提交或本人为申请人的办件。"
    en = "Nobody decides a case of their own."


class FourEyes(Conflict):
    """A second person confirms."""

    code = "four_eyes"
    zh = "该事项须由另一名审批人员复核后作出决定。"
    en = "A second approver confirms the decision."


class OpinionsDiffer(Conflict):
    """The second approver came to another result than the first."""

    code = "opinions_differ"
    zh = "复核意见与初审意见（{proposed}）不一致，请先撤回初审意见。"
    en = "The second opinion differs from the first ({proposed}): withdraw the first."


class SiteCheckStaff(Invalid):
    """On-site verification by two or more staff (Art. 34)."""

    code = "site_check_staff"
    zh = "实地核查应当指派两名以上工作人员。"
    en = "A site check is made by two or more staff."


class StaffNotThere(Invalid):
    """A task is given to staff of the department that has it, who are still there."""

    code = "staff_not_of_department"
    zh = "所指派人员须为承办部门的在职工作人员。"
    en = "Who is assigned has to be active staff of the department that has the task."


class NoSuchCase(NotFound):
    """Not there, or of another department or applicant."""

    code = "no_such_case"
    zh = "没有找到该办件。"
    en = "There is no such case."


class NoSuchTask(NotFound):
    """Not there, or of another department."""

    code = "no_such_task"
    zh = "没有找到该任务。"
    en = "There is no such task."


class TaskClosed(Conflict):
    """Done already."""

    code = "task_closed"
    zh = "该任务已完成或已取消。"
    en = "The task is done or cancelled."


class DeemedByLaw(Conflict):
    """Five working days passed in silence: accepted from the day of receipt, nobody can refuse it any more."""

    code = "deemed_accepted"
    zh = "已超过五个工作日未作答复，自收到申请材料之日起视为受理。"
    en = "Five working days passed without an answer: the case is accepted by law."


class FormClosed(Forbidden):
    """The full form is open to the department while the case is."""

    code = "form_closed"
    zh = "办件已结束，不再提供申请人完整信息。"
    en = "The case has ended: the applicant's full data is no longer shown."


class OpenTasks(Conflict):
    """A task is not done."""

    code = "open_tasks"
    zh = "尚有未完成的任务，不能作出决定。"
    en = "Open tasks remain: a decision is not possible yet."


class LicenceOutstanding(Conflict):
    """What was granted is a licence, and it is not issued yet."""

    code = "licence_outstanding"
    zh = "证照尚未签发，签发后方可送达、办结。"
    en = "The licence is not issued yet: only then can the case be delivered and finished."


class NoOpinion(Conflict):
    """There is no first opinion that waits for a second one."""

    code = "no_opinion"
    zh = "该办件没有待复核的初审意见。"
    en = "There is no first opinion that waits for a second."


class ClaimedByAnother(Conflict):
    """A colleague works on it."""

    code = "claimed_by_another"
    zh = "该办件已由其他工作人员领取。"
    en = "A colleague has claimed the case."


def need_reasons(reasons: str, remedies: str) -> None:
    """Refusals state reasons and remedies (Art. 38, and Art. 32 for not accepting). Raises: ReasonsMissing."""
    fields = [
        FieldProblem(f"/{name}", "missing", "必填", "Required")
        for name, text in (("reasons", reasons), ("remedies", remedies))
        if not text.strip()
    ]
    if fields:
        raise ReasonsMissing(fields=fields)


def need_first_correction(already_noticed: bool, missing: Sequence[str]) -> None:
    """The one-off notice names something, and is the only one (Art. 32 (4)). Raises: SecondCorrection, CorrectionEmpty."""
    if already_noticed:
        raise SecondCorrection
    if not any(one.strip() for one in missing):
        raise CorrectionEmpty


def need_site_check_staff(staff: Collection[UUID]) -> None:
    """Art. 34: two or more. Raises: SiteCheckStaff."""
    if len(set(staff)) < SITE_CHECK_STAFF:
        raise SiteCheckStaff(
            fields=[
                FieldProblem(
                    "/staff_ids", "too_few", "至少两名不同的工作人员", "Two different staff at least"
                )
            ]
        )


_FALLEN = {
    LicenceStatus.SUSPENDED: "暂扣",
    LicenceStatus.REVOKED: "撤销",
    LicenceStatus.WITHDRAWN: "吊销",
    LicenceStatus.CANCELLED: "注销",
    LicenceStatus.EXPIRED: "过期",
    LicenceStatus.SUPERSEDED: "换发",
}


def need_staff_there(staff: Sequence[UUID], there: Collection[UUID]) -> None:
    """Whoever is named can go: nobody made up, nobody who has left, nobody of another department. Raises: StaffNotThere."""
    absent = [position for position, one in enumerate(staff) if one not in there]
    if absent:
        raise StaffNotThere(
            fields=[
                FieldProblem(
                    f"/staff_ids/{position}",
                    "not_there",
                    "不是承办部门的在职工作人员",
                    "No active staff of the department",
                )
                for position in absent
            ]
        )


@dataclass(frozen=True, slots=True)
class Gaps:
    """Which required materials a case lacks, and which of them its item tolerates.

    ``lapsed`` are those of the missing that a licence stood in for, with what became of it.
    """

    missing: frozenset[str]
    tolerated: frozenset[str]
    promised: bool
    lapsed: Mapping[str, LicenceStatus] = field(default_factory=dict)

    def need_acceptable(
        self, mode: AcceptanceMode, *, notify_promise: bool, promises: Collection[str]
    ) -> None:
        """Whether the case can be accepted in this way.

        Raises: MaterialsMissing, LicenceLapsed, NotTolerated, ToleranceNotPromised, NoticeAndPromiseNotOffered.
        """
        if mode is AcceptanceMode.PROMISE and not (notify_promise and promises):
            raise NoticeAndPromiseNotOffered
        if mode is AcceptanceMode.TOLERANCE:
            intolerable = self.missing - self.tolerated
            if intolerable:
                raise NotTolerated(materials="、".join(sorted(intolerable)))
            if not self.promised:
                raise ToleranceNotPromised
            return
        self.need_filled()

    def need_filled(self) -> None:
        """What was tolerated is there before an approval 容缺后补, and no waiver has fallen.

        Raises: MaterialsMissing, LicenceLapsed.
        """
        if self.lapsed:
            raise LicenceLapsed(
                materials="、".join(sorted(self.lapsed)),
                fields=[
                    FieldProblem(
                        f"/materials/{code}",
                        f"licence_{status.lower()}",
                        f"该材料所依据的证照已{_FALLEN[status]}。",
                        f"The licence that stood in for it is {status.lower()}.",
                    )
                    for code, status in sorted(self.lapsed.items())
                ],
            )
        if self.missing:
            raise MaterialsMissing(materials="、".join(sorted(self.missing)))


def need_impartial(deciding: str, *, submitted_by: UUID, applicant_id: UUID) -> None:
    """Nobody decides an own application. Raises: OwnApplication."""
    if deciding in {str(submitted_by), str(applicant_id)}:
        raise OwnApplication


@dataclass(frozen=True, slots=True)
class Opinion:
    """The first of two opinions where an item asks for four eyes."""

    approve: bool
    by: str


def confirms(first: Opinion | None, *, approve: bool, by: str) -> bool:
    """Whether this opinion makes the decision, or is the first of two.

    Raises: FourEyes when one person would be both; OpinionsDiffer.
    """
    if first is None:
        return False
    if first.by == by:
        raise FourEyes
    if first.approve is not approve:
        raise OpinionsDiffer(proposed="准予" if first.approve else "不予")
    return True


class Readiness(StrEnum):
    """Whether a waiting case can go to its department."""

    WAITS = "WAITS"
    READY = "READY"
    HOPELESS = "HOPELESS"


def readiness(
    waits_for: Collection[str], statuses: Mapping[str, CaseStatus], granted: Collection[str], *, any_: bool
) -> Readiness:
    """Judges a waiting case by the cases before it, which are looked up by item code.

    ``granted`` are the items whose case was approved. With ``any_`` one of them is enough; otherwise all are needed.
    An item that ended without approval can no longer be waited for.
    """
    done = [code for code in waits_for if code in granted]
    failed = [code for code in waits_for if code not in granted and statuses[code].ended]
    if not waits_for or (done if any_ else len(done) == len(waits_for)):
        return Readiness.READY
    if failed and (not any_ or len(failed) == len(waits_for)):
        return Readiness.HOPELESS
    return Readiness.WAITS
