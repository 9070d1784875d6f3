"""Alembic's environment: every slice's rows in one metadata."""

from identity_service.accounts import models as accounts
from identity_service.db import Base
from identity_service.identity_codes import models as identity_codes
from identity_service.inbox import models as inbox
from identity_service.legal_persons import models as legal_persons
from identity_service.login import models as login
from identity_service.oidc import models as oidc
from identity_service.organisation import models as organisation
from identity_service.passkeys import models as passkeys
from identity_service.people import models as people
from identity_service.profiles import models as profiles
from identity_service.relying_parties import models as relying_parties
from identity_service.sessions import models as sessions
from identity_service.signing import models as signing
from identity_service.sms import models as sms
from service_common.migrations import run_env

SLICES = (
    accounts,
    identity_codes,
    inbox,
    legal_persons,
    login,
    oidc,
    organisation,
    passkeys,
    people,
    profiles,
    relying_parties,
    sessions,
    signing,
    sms,
)

run_env(Base.metadata)
