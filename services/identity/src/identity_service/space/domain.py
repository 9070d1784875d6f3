"""Personal space 一人一档: where an attribute comes from, and how fresh it is."""

from enum import StrEnum

from service_common.errors import NotFound


class Source(StrEnum):
    """Who vouches for an attribute."""

    SELF = "SELF"
    PHONE_CODE = "PHONE_CODE"
    REGISTER = "REGISTER"
    COUNTER = "COUNTER"
    EVIDENCE = "EVIDENCE"


SOURCE_LABELS = {
    Source.SELF: "本人填写",
    Source.PHONE_CODE: "短信验证",
    Source.REGISTER: "权威库核验",
    Source.COUNTER: "窗口核验",
    Source.EVIDENCE: "由有效的核验得出",
}


class NoSuchConsent(NotFound):
    """Nothing was allowed to this client, or it was taken back."""

    code = "no_such_consent"
    zh = "您没有授权过该应用，或已撤回。"
    en = "You have allowed this application nothing, or have taken it back."
