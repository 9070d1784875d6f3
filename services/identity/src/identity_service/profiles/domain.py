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


class AttributeOfOthers(Invalid):
    """A person has no credit code, a company no identity number."""

    code = "attribute_of_others"
    zh = "所请求的属性不适用于该主体。"
    en = "Some attributes do not belong to this kind of subject."


def check_attributes(attributes: frozenset[Attribute], allowed: frozenset[Attribute]) -> None:
    """Raises: AttributeOfOthers."""
    if not attributes <= allowed:
        raise AttributeOfOthers
