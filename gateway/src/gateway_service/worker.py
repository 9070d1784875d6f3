"""What the worker does: hears of what concerns departments, and delivers it."""

from collections.abc import Sequence
from typing import Any

from fastapi import FastAPI

from gateway_service.webhooks.dispatcher import dispatch_webhooks
from gateway_service.webhooks.subscribers import webhook_subscribers
from service_common.app import Background
from service_common.messaging import Subscriber


def subscribers(app: FastAPI) -> Sequence[Subscriber[Any]]:
    return webhook_subscribers(app.state.settings.public_origin)


background: Sequence[Background] = (dispatch_webhooks,)
