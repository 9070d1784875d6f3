"""Messages to people: templates in two languages, filled with facts that are not personal."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from service_common.errors import NotFound


class Category(StrEnum):
    """How messages are sorted."""

    PROGRESS = "PROGRESS"
    LICENCE = "LICENCE"
    HOTLINE = "HOTLINE"
    REVIEW = "REVIEW"
    SECURITY = "SECURITY"
    REPRESENTATION = "REPRESENTATION"


CATEGORY_LABELS = {
    Category.PROGRESS: "办件进度",
    Category.LICENCE: "电子证照",
    Category.HOTLINE: "热线诉求",
    Category.REVIEW: "好差评",
    Category.SECURITY: "账号安全",
    Category.REPRESENTATION: "企业与代办",
}


class Template(StrEnum):
    """What a message says."""

    APPLICATION_SUBMITTED = "APPLICATION_SUBMITTED"
    CASE_ACCEPTED = "CASE_ACCEPTED"
    CASE_NOT_ACCEPTED = "CASE_NOT_ACCEPTED"
    CASE_CORRECTION_REQUESTED = "CASE_CORRECTION_REQUESTED"
    CASE_APPROVED = "CASE_APPROVED"
    CASE_REJECTED = "CASE_REJECTED"
    CASE_FINISHED = "CASE_FINISHED"
    LICENCE_ISSUED = "LICENCE_ISSUED"
    REVIEW_INVITED = "REVIEW_INVITED"
    REVIEW_ANSWERED = "REVIEW_ANSWERED"
    TICKET_ANSWERED = "TICKET_ANSWERED"
    TICKET_CLOSED = "TICKET_CLOSED"
    NEW_DEVICE = "NEW_DEVICE"
    LEVEL_LOWERED = "LEVEL_LOWERED"
    LEVEL_RAISED = "LEVEL_RAISED"
    PASSWORD_CHANGED = "PASSWORD_CHANGED"  # noqa: S105 - no password
    PHONE_CHANGED = "PHONE_CHANGED"
    SECOND_FACTOR_CHANGED = "SECOND_FACTOR_CHANGED"
    CREDENTIALS_RESET = "CREDENTIALS_RESET"
    VERIFIED_AT_COUNTER = "VERIFIED_AT_COUNTER"
    AGENT_APPOINTED = "AGENT_APPOINTED"
    AGENT_REVOKED = "AGENT_REVOKED"
    REPRESENTATIVE_CHANGED = "REPRESENTATIVE_CHANGED"
    LEGAL_PERSON_SUSPENDED = "LEGAL_PERSON_SUSPENDED"
    DELEGATION_OFFERED = "DELEGATION_OFFERED"
    DELEGATION_ACCEPTED = "DELEGATION_ACCEPTED"
    DELEGATION_ENDED = "DELEGATION_ENDED"


@dataclass(frozen=True, slots=True)
class Text:
    """A message in one language."""

    title: str
    body: str

    def fill(self, facts: dict[str, Any]) -> "Text":
        return Text(self.title.format(**facts), self.body.format(**facts))


@dataclass(frozen=True, slots=True)
class Wording:
    """A template."""

    category: Category
    zh: Text
    en: Text
    is_urgent: bool = False
    """Sent to the phone as well: a time limit runs, or somebody may be in the account."""


WORDINGS = {
    Template.APPLICATION_SUBMITTED: Wording(
        Category.PROGRESS,
        Text("申请已提交", "您的申请 {number} 已提交，共涉及 {count} 个事项，请留意办理进度。"),
        Text("Application submitted", "Your application {number} with {count} items was submitted."),
    ),
    Template.CASE_ACCEPTED: Wording(
        Category.PROGRESS,
        Text("办件已受理", "“{item_name}”（{project_no}）已受理，办理时限自受理之日起计算。"),
        Text("Case accepted", "“{item_name}” ({project_no}) was accepted; the time limit runs from now on."),
    ),
    Template.CASE_NOT_ACCEPTED: Wording(
        Category.PROGRESS,
        Text("办件不予受理", "“{item_name}”（{project_no}）不予受理，理由和救济途径见办件详情中的通知书。"),
        Text(
            "Case not accepted",
            "“{item_name}” ({project_no}) was not accepted: the notice in it gives the reasons.",
        ),
    ),
    Template.CASE_CORRECTION_REQUESTED: Wording(
        Category.PROGRESS,
        Text("需要补正材料", "“{item_name}”（{project_no}）需要补正，全部内容见一次性告知书。"),
        Text(
            "Correction needed",
            "“{item_name}” ({project_no}) needs correction: the one-off notice lists everything.",
        ),
        is_urgent=True,
    ),
    Template.CASE_APPROVED: Wording(
        Category.PROGRESS,
        Text("准予办理", "“{item_name}”（{project_no}）已作出准予决定。"),
        Text("Approved", "“{item_name}” ({project_no}) was approved."),
    ),
    Template.CASE_REJECTED: Wording(
        Category.PROGRESS,
        Text("不予办理", "“{item_name}”（{project_no}）已作出不予决定，理由和救济途径见决定书。"),
        Text(
            "Rejected", "“{item_name}” ({project_no}) was rejected: the decision gives reasons and remedies."
        ),
    ),
    Template.CASE_FINISHED: Wording(
        Category.PROGRESS,
        Text("办件已办结", "“{item_name}”（{project_no}）已办结。"),
        Text("Case finished", "“{item_name}” ({project_no}) is finished."),
    ),
    Template.LICENCE_ISSUED: Wording(
        Category.LICENCE,
        Text("电子证照已生成", "您的“{type_name}”已签发，可在“我的证照”中查看和出示。"),
        Text("Licence issued", "Your “{type_name}” was issued: show it from your licences."),
    ),
    Template.REVIEW_INVITED: Wording(
        Category.REVIEW,
        Text("请评价本次服务", "请您对刚刚办理的服务进行评价，评价内容对经办人员保密。"),
        Text(
            "Rate this service", "Please rate the service you received; who handled it cannot see your name."
        ),
    ),
    Template.REVIEW_ANSWERED: Wording(
        Category.REVIEW,
        Text("您的评价有了答复", "您的评价已整改答复，请查看并确认。"),
        Text("Your review was answered", "What you criticised was dealt with: read the answer."),
    ),
    Template.TICKET_ANSWERED: Wording(
        Category.HOTLINE,
        Text("热线诉求已答复", "您的诉求 {ticket_no} 已答复，请查看。"),
        Text("Your request was answered", "Your request {ticket_no} was answered."),
    ),
    Template.TICKET_CLOSED: Wording(
        Category.HOTLINE,
        Text("热线诉求已办结", "您的诉求 {ticket_no} 已办结。"),
        Text("Your request is closed", "Your request {ticket_no} is closed."),
    ),
    Template.AGENT_APPOINTED: Wording(
        Category.REPRESENTATION,
        Text("您已成为经办人", "“{name}”已授权您代其办理政务服务事项，可在“我代表的企业”中查看。"),
        Text("You act for a legal person", "“{name}” lets you act for it: see whom you act for."),
    ),
    Template.AGENT_REVOKED: Wording(
        Category.REPRESENTATION,
        Text("经办授权已停止", "您代“{name}”办理事项的授权已撤销或暂停。"),
        Text(
            "You no longer act for a legal person", "Your appointment by “{name}” was revoked or suspended."
        ),
    ),
    Template.REPRESENTATIVE_CHANGED: Wording(
        Category.REPRESENTATION,
        Text(
            "法定代表人已变更",
            "登记机关确认“{name}”的法定代表人（负责人）已变更，原有授权全部暂停，须由新的法定代表人逐一确认。",
        ),
        Text(
            "Another representative",
            "The register names another representative of “{name}”: every appointment stands still until it is confirmed.",
        ),
        is_urgent=True,
    ),
    Template.LEGAL_PERSON_SUSPENDED: Wording(
        Category.REPRESENTATION,
        Text(
            "企业代表权已暂停",
            "登记机关未能确认“{name}”或其法定代表人（负责人），代其办理事项的权限已暂停，请由现任法定代表人重新认证。",
        ),
        Text(
            "Nobody acts for it now",
            "The register no longer confirms “{name}” or its representative: the present one has to register it again.",
        ),
    ),
    Template.DELEGATION_OFFERED: Wording(
        Category.REPRESENTATION,
        Text("有人请您代办", "有人委托您代为办理政务服务事项，请阅读授权书后决定是否接受。"),
        Text("Somebody asks you to act", "Somebody wants you to act for them: read the text and decide."),
    ),
    Template.DELEGATION_ACCEPTED: Wording(
        Category.REPRESENTATION,
        Text("代办委托已被接受", "您的受托人已接受代办委托，其办理的每一步都会在记录中注明；您可随时解除。"),
        Text(
            "Your agent has accepted",
            "Your agent may act for you now. Each step is recorded with both names; end it whenever you like.",
        ),
    ),
    Template.DELEGATION_ENDED: Wording(
        Category.REPRESENTATION,
        Text("代办委托已解除", "一项代办委托已解除，立即失效。"),
        Text("A delegation has ended", "A delegation has ended, with immediate effect."),
    ),
    Template.LEVEL_RAISED: Wording(
        Category.SECURITY,
        Text("实名等级已提升", "您的实名等级现为 {level} 级。如非本人办理，请查看“核验记录”并联系窗口。"),
        Text(
            "Your trust level rose",
            "Your trust level is now {level}. If that was not you, look at your verifications and ask at a counter.",
        ),
    ),
    Template.PASSWORD_CHANGED: Wording(
        Category.SECURITY,
        Text("登录密码已更改", "您的登录密码刚刚更改，其他设备已退出登录。如非本人操作，请立即重置密码。"),
        Text(
            "Your password was changed",
            "Your password was changed just now, and other devices were logged out. If it was not you, reset it at once.",
        ),
        is_urgent=True,
    ),
    Template.VERIFIED_AT_COUNTER: Wording(
        Category.SECURITY,
        Text(
            "窗口核验了您的身份证件",
            "办事窗口刚刚核验了您的身份证件，凭此可为您现场受理一次申请。如非本人到场，请拨打 12345，并查看“谁看过我的信息”。",
        ),
        Text(
            "A counter checked your identity document",
            "A counter has just checked your identity document, and may take in one application for you. If you are not "
            "there, call 12345 and see who looked at your data.",
        ),
        is_urgent=True,
    ),
    Template.PHONE_CHANGED: Wording(
        Category.SECURITY,
        Text(
            "手机号已更改", "您的账号已改绑尾号 {tail} 的手机号。如非本人操作，请立即修改密码，并到窗口办理。"
        ),
        Text(
            "Your phone number was changed",
            "Your account now uses the number ending in {tail}. If that was not you, change the password and go to a counter.",
        ),
    ),
    Template.SECOND_FACTOR_CHANGED: Wording(
        Category.SECURITY,
        Text(
            "动态口令已更换",
            "您的动态口令已更换为新的验证器，原验证器不再有效。如非本人操作，请立即联系本单位管理人员。",
        ),
        Text(
            "Your second factor was changed",
            "Codes of the authenticator that you had before are no longer valid. Tell your administrator at once if it was not you.",
        ),
    ),
    Template.CREDENTIALS_RESET: Wording(
        Category.SECURITY,
        Text(
            "登录凭据已重置",
            "管理人员重置了您的密码和动态口令（原因：{reason_zh}），原有通行密钥已移除，所有设备已退出登录。如有疑问，请联系本单位管理人员。",
        ),
        Text(
            "Your credentials were reset",
            "An administrator reset your password and second factor ({reason_en}); passkeys were removed and every device "
            "logged out. Ask your administrator if you did not expect this.",
        ),
    ),
    Template.LEVEL_LOWERED: Wording(
        Category.SECURITY,
        Text(
            "实名核验已到期",
            "您的实名核验有效期已满，实名等级现为 {level} 级。办理需要更高等级的事项前请重新核验。",
        ),
        Text(
            "A verification expired",
            "Your trust level is now {level}. Verify again before you apply for something that needs more.",
        ),
    ),
    Template.NEW_DEVICE: Wording(
        Category.SECURITY,
        Text(
            "新设备登录提醒",
            "您的账号于 {at} 在新设备“{device}”（{place}）登录。如非本人操作，请立即修改密码并退出该设备。",
        ),
        Text(
            "New device",
            "Your account was entered from a new device, {device} ({place}), at {at} Beijing time. If it was not you, "
            "change the password and log that device out.",
        ),
        is_urgent=True,
    ),
}


class NoSuchMessage(NotFound):
    """Unknown, or somebody else's."""

    code = "no_such_message"
    zh = "没有这条消息。"
    en = "There is no such message."


def wording(template: Template, facts: dict[str, Any], language: str) -> Text:
    """The message in a language."""
    found = WORDINGS[template]
    return (found.en if language == "en" else found.zh).fill(facts)


def templates_of(category: Category) -> frozenset[Template]:
    """The templates that are sorted under a category."""
    return frozenset(template for template, known in WORDINGS.items() if known.category is category)


URGENT = frozenset(template for template, known in WORDINGS.items() if known.is_urgent)
