"""Identifiers and codes of Chinese government service; each module names its standard.

A ``parse_…`` function returns the normal form in ``.value`` or raises `gov_rules.errors.InvalidIdentifier`;
a ``compose_…`` function builds a valid one.
"""

from gov_rules.errors import InvalidIdentifier
from gov_rules.identifiers.case_number import (
    BundleNumber,
    ProjectNumber,
    compose_bundle_number,
    compose_project_number,
    compose_query_number,
    parse_bundle_number,
    parse_project_number,
    parse_query_number,
)
from gov_rules.identifiers.credit_code import (
    CreditCode,
    CreditCodeWarning,
    OrganisationKind,
    compose_credit_code,
    parse_credit_code,
)
from gov_rules.identifiers.document_number import (
    DocumentNumber,
    compose_document_number,
    parse_document_number,
)
from gov_rules.identifiers.identity_number import (
    IdentityKind,
    IdentityNumber,
    Sex,
    complete_identity_number,
    parse_identity_number,
)
from gov_rules.identifiers.item_code import (
    CatalogueCode,
    ExerciseLevel,
    HandlingItemCode,
    ItemCode,
    ItemType,
    LocalItemCode,
    TaskCode,
    compose_task_code,
    parse_catalogue_code,
    parse_handling_item_code,
    parse_task_code,
    read_item_code,
)
from gov_rules.identifiers.licence_identifier import (
    LicenceIdentifier,
    LicenceTypeCode,
    compose_licence_identifier,
    parse_licence_identifier,
    parse_licence_type_code,
)
from gov_rules.identifiers.masking import mask_identity_number, mask_name, mask_phone
from gov_rules.identifiers.ticket_number import TicketNumber, compose_ticket_number, parse_ticket_number

__all__ = [
    "BundleNumber",
    "CatalogueCode",
    "CreditCode",
    "CreditCodeWarning",
    "DocumentNumber",
    "ExerciseLevel",
    "HandlingItemCode",
    "IdentityKind",
    "IdentityNumber",
    "InvalidIdentifier",
    "ItemCode",
    "ItemType",
    "LicenceIdentifier",
    "LicenceTypeCode",
    "LocalItemCode",
    "OrganisationKind",
    "ProjectNumber",
    "Sex",
    "TaskCode",
    "TicketNumber",
    "complete_identity_number",
    "compose_bundle_number",
    "compose_credit_code",
    "compose_document_number",
    "compose_licence_identifier",
    "compose_project_number",
    "compose_query_number",
    "compose_task_code",
    "compose_ticket_number",
    "mask_identity_number",
    "mask_name",
    "mask_phone",
    "parse_bundle_number",
    "parse_catalogue_code",
    "parse_credit_code",
    "parse_document_number",
    "parse_handling_item_code",
    "parse_identity_number",
    "parse_licence_identifier",
    "parse_licence_type_code",
    "parse_project_number",
    "parse_query_number",
    "parse_task_code",
    "parse_ticket_number",
    "read_item_code",
]
