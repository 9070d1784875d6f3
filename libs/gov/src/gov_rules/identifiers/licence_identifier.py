"""Identifiers of electronic licences 电子证照标识.

Source: GB/T 36904-2018 (parts and root), ISO 7064 MOD 37,36 for the check over the four parts without dots.
Licence type codes: the defining authority's USCC and three digits.
"""

import re
from dataclasses import dataclass

from stdnum.iso7064 import mod_37_36

from gov_rules.divisions import parse_area_code
from gov_rules.errors import InvalidIdentifier
from gov_rules.identifiers.credit_code import CreditCode, parse_credit_code

OID_ROOT = "1.2.156.3005.2"
LAST_VERSION = 999

_SERIAL_SHAPE = re.compile(r"[0-9A-Z]{1,64}")
_VERSION_SHAPE = re.compile(r"[0-9]{3}")


@dataclass(frozen=True, slots=True)
class LicenceTypeCode:
    """Code of a licence type 证照类型代码: who defined it, and its number there."""

    value: str
    defining_authority: CreditCode
    number: str


@dataclass(frozen=True, slots=True)
class LicenceIdentifier:
    """A valid identifier; ``issuer`` is None when a city put its division code in the issuer's place."""

    value: str
    type_code: LicenceTypeCode
    issuer_code: str
    issuer: CreditCode | None
    serial: str
    version: int

    def reissued(self) -> str:
        """The identifier of the next version: same type, issuer and serial, version one higher."""
        return compose_licence_identifier(
            self.type_code.value, self.issuer_code, self.serial, self.version + 1
        )


def parse_licence_type_code(text: str) -> LicenceTypeCode:
    """Read a licence type code of 21 characters.

    Raises: InvalidIdentifier.
    """
    value = text.strip().upper()
    if not re.fullmatch(r".{18}[0-9]{3}", value):
        raise InvalidIdentifier(
            "licence_type_code_format",
            zh="证照类型代码应为 18 位统一社会信用代码加 3 位数字。",
            en="A licence type code is a unified social credit code (18) and three digits.",
        )
    return LicenceTypeCode(value, parse_credit_code(value[:18]), value[18:])


def parse_licence_identifier(text: str) -> LicenceIdentifier:
    """Read a licence identifier; a division code is tolerated as issuer, since such licences exist.

    Raises: InvalidIdentifier.
    """
    value = text.strip().upper()
    parts = value.removeprefix(f"{OID_ROOT}.").split(".")
    if not value.startswith(f"{OID_ROOT}.") or len(parts) != 5:
        raise InvalidIdentifier(
            "licence_identifier_format",
            zh=f"电子证照标识应为 {OID_ROOT} 加五段，以点分隔。",
            en=f"A licence identifier is {OID_ROOT} and five parts, separated by dots.",
        )
    type_code, issuer, serial, version, check = parts
    _check_serial_and_version(serial, version)
    parsed_type = parse_licence_type_code(type_code)
    credit_code = _read_issuer(issuer)
    if check != mod_37_36.calc_check_digit(type_code + issuer + serial + version):
        raise InvalidIdentifier(
            "licence_identifier_check",
            zh="电子证照标识校验位不正确。",
            en="The check character of the licence identifier is wrong.",
        )
    return LicenceIdentifier(value, parsed_type, issuer, credit_code, serial, int(version))


def compose_licence_identifier(type_code: str, issuer: str, serial: str, version: int = 1) -> str:
    """Build the identifier of a licence to be issued; the issuer must be an organ's USCC.

    Raises: InvalidIdentifier.
    """
    parsed_type = parse_licence_type_code(type_code).value
    issuing_organ = parse_credit_code(issuer).value
    version_text = f"{version:03d}"
    _check_serial_and_version(serial, version_text)
    check = mod_37_36.calc_check_digit(parsed_type + issuing_organ + serial + version_text)
    return ".".join((OID_ROOT, parsed_type, issuing_organ, serial, version_text, str(check)))


def _check_serial_and_version(serial: str, version: str) -> None:
    if not _SERIAL_SHAPE.fullmatch(serial):
        raise InvalidIdentifier(
            "licence_identifier_serial",
            zh="电子证照标识的流水号应由数字和大写字母组成。",
            en="The serial of a licence identifier is digits and capital letters.",
        )
    if not _VERSION_SHAPE.fullmatch(version) or version == "000":
        raise InvalidIdentifier(
            "licence_identifier_version",
            zh="电子证照标识的版本号应为 001 至 999。",
            en="The version of a licence identifier runs from 001 to 999.",
        )


def _read_issuer(issuer: str) -> CreditCode | None:
    if re.fullmatch(r"[0-9]{6}", issuer):
        parse_area_code(issuer)
        return None
    return parse_credit_code(issuer)
