"""HTTP of the OpenID provider."""

from identity_service.oidc.routes.browser import router as browser
from identity_service.oidc.routes.protocol import router as protocol

routers = (protocol, browser)
