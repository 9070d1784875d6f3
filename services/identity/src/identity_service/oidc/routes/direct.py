"""Routes that are called with the request alone, without FastAPI's dependency solver (docs/adr/0008-cost-of-a-token.md)."""

import inspect
from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute

from identity_service.pages.browsers import PageRoute
from service_common.auth import PUBLIC


class DirectRoute(APIRoute):
    """An endpoint that reads what it needs from the request itself: solving its dependencies would cost more than a signature.

    Open to everybody by declaration: a guard among its dependencies would never be asked, so there must be none.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Raises: TypeError for an endpoint with more than a request, or with dependencies other than ``PUBLIC``."""
        if list(inspect.signature(self.endpoint).parameters) != ["request"]:
            raise TypeError(f"{self.path}: a direct route takes the request alone")
        if not self.dependencies or any(one is not PUBLIC for one in self.dependencies):
            raise TypeError(f"{self.path}: a direct route is PUBLIC and solves no dependencies")
        handler: Callable[[Request], Coroutine[Any, Any, Response]] = self.endpoint
        return handler


class DirectPageRoute(PageRoute, DirectRoute):
    """A direct route that shows refusals as a page."""
