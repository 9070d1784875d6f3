"""A phone: what arrives on it."""

import re
from dataclasses import dataclass

from fastapi import FastAPI
from services.identity.tests.conftest import Clock
from services.identity.tests.factories import sent_texts

from identity_service.db import transactions_of
from identity_service.settings import Settings
from identity_service.sms.handlers import send_due


@dataclass(frozen=True)
class Phone:
    """Everybody's: the development outbox holds the texts to all numbers."""

    app: FastAPI
    settings: Settings
    clock: Clock

    async def texts(self) -> list[str]:
        """All that have arrived by now."""
        state = self.app.state
        await send_due(
            transactions_of(state.database), state.key_ring, state.sms_sender, now=self.clock.now()
        )
        assert self.settings.sms_outbox_file
        return [one["text"] for one in sent_texts(self.settings.sms_outbox_file)]

    async def code(self) -> str:
        """The code in the newest."""
        found = re.search(r"\d{6}", (await self.texts())[-1])
        assert found
        return found.group()
