"""HTTP shapes of passkeys."""

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import Field

from identity_service.schemas import Input, Output


class PasskeyOptions(Output):
    """What ``navigator.credentials.create()`` or ``get()`` is called with."""

    challenge_id: UUID
    options: dict[str, Any] = Field(
        description="`PublicKeyCredentialCreationOptionsJSON` (WebAuthn level 3 §5.1.9)."
    )


class PasskeyRegister(Input):
    """What the authenticator has answered."""

    challenge_id: UUID
    name: str = Field(min_length=1, max_length=60, examples=["我的手机"])
    credential: dict[str, Any] = Field(description="`RegistrationResponseJSON`.")


class PasskeyRead(Output):
    """A passkey."""

    id: UUID
    name: str
    is_backed_up: bool = Field(description="Shared by several devices of the person.")
    created_at: datetime
    last_used_at: datetime | None


class PasskeyList(Output):
    """Few, so not in pages."""

    items: list[PasskeyRead]
