"""Looking at a person's data: which attributes, and for what."""

from enum import StrEnum

from service_common.errors import Invalid


class Attribute(StrEnum):
    """Verified facts that a service may ask for."""

    NAME = "name"
    ID_NUMBER = "id_number"
    PHONE = "phone"
    TRUST_LEVEL = "trust_level"
    USCC = "uscc"
    KIND = "kind"
    REPRESENTATIVE_NAME = "representative_name"
    REPRESENTATIVE_ID_NUMBER = "representative_id_number"


OF_PERSON = frozenset({Attribute.NAME, Attribute.ID_NUMBER, Attribute.PHONE, Attribute.TRUST_LEVEL})
OF_LEGAL_PERSON = frozenset(
    {
        Attribute.NAME,
        Attribute.USCC,
        Attribute.KIND,
        Attribute.REPRESENTATIVE_NAME,
        Attribute.REPRESENTATIVE_ID_NUMBER,
    }
)
OF_REPRESENTATIVE = frozenset({Attribute.REPRESENTATIVE_NAME, Attribute.REPRESENTATIVE_ID_NUMBER})
"""Of a legal person, but personal data of its representative."""


DUTY = "《个人信息保护法》第十三条第一款第（三）项（履行法定职责）"
CONSENT = "《个人信息保护法》第十三条第一款第（一）项（本人同意）"
LEGAL_BASES = {
    "PREFILL": "《政务数据共享条例》（国务院令第809号）及" + DUTY,
    "COUNTER_CHECK": DUTY,
    "IDENTITY_CODE": CONSENT,
    "COUNTER_PRESENCE": CONSENT,
    "CASE_HANDLING": DUTY,
    "LICENCE_ISSUE": DUTY,
    "userinfo": CONSENT,
    "id_token": CONSENT,
}
"""On what a look of this purpose rests when who looks names nothing else."""

PURPOSE_LABELS = {
    "PREFILL": "办事材料预填",
    "COUNTER_CHECK": "窗口核验身份",
    "IDENTITY_CODE": "出示身份码",
    "COUNTER_PRESENCE": "到窗口办事出示身份码",
    "CASE_HANDLING": "办理申请事项",
    "LICENCE_ISSUE": "颁发证照",
    "userinfo": "登录后读取资料",
    "id_token": "登录时读取资料",
}


class AttributeOfOthers(Invalid):
    """A person has no credit code, a company no identity number."""

    code = "attribute_of_others"
    zh = "所请求的属性不适用于该主体。"
    en = "Some attributes do not belong to this kind of subject."


def check_attributes(attributes: frozenset[Attribute], allowed: frozenset[Attribute]) -> None:
    """Raises: AttributeOfOthers."""
    if not attributes <= allowed:
        raise AttributeOfOthers
