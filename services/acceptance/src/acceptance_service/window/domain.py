"""What a clerk may do for somebody who stands at the window, and how refusals read. Pure."""

from service_common.errors import Conflict, Forbidden, Invalid

SIGNED_PAPER = "WINDOW-SIGNED-PAPER"
"""The material that holds what the applicant signed at the window: a clerk signs nothing in somebody's name."""
SIGNED_PAPER_TITLE = "申请人现场签署的承诺书"
SIGNED_PAPER_FORMATS = ("application/pdf", "image/jpeg", "image/png")


class PresenceElsewhere(Forbidden):
    """The proof is of another department's counter: who was met there has agreed to nothing here."""

    code = "presence_elsewhere"
    zh = "该到场核验不是在本部门窗口进行的，请由申请人在本窗口重新出示。"
    en = "This presence was proven at another department's counter: have the applicant show a code here."


class OutOfReach(Forbidden):
    """The hall serves its division, what lies within it, and the levels above it."""

    code = "division_out_of_reach"
    zh = "本窗口不受理行政区划 {division} 的事项。"
    en = "This window takes in nothing for division {division}."


class SittingOver(Conflict):
    """The applicant's presence allowed the clerk to act for a while, or until the hand-in."""

    code = "sitting_over"
    zh = "本次到场办理已结束，请由申请人重新出示身份码或重新核验证件。"
    en = "This sitting is over: have the applicant show a code again."


class ApplicantLevelTooLow(Conflict):
    """The applicant, not the clerk, needs a higher real-name level; a check of the document at the counter gives it."""

    code = "applicant_level_too_low"
    zh = "该事项要求申请人实名等级 {needed} 级，当前为 {current} 级，请在窗口核验证件后重新出示到场凭证。"
    en = "The applicant needs trust level {needed} and has {current}: check the document at the counter, and show that proof."


class SignatureNeeded(Invalid):
    """A promise binds who signs it. At a window that is done on paper, of which a picture is taken."""

    code = "signature_needed"
    zh = "承诺须由申请人本人签署，请上传其现场签署的承诺书（signed_paper）。"
    en = "The applicant has to sign: upload the paper signed at the window as `signed_paper`."


class NotOpenForWindow(Conflict):
    """Decided, given up or finished: there is nothing left to do for the applicant."""

    code = "application_closed"
    zh = "该申请已结束，不能在窗口继续办理。"
    en = "The application has ended: nothing is left to do at a window."
