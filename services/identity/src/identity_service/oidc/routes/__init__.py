"""HTTP of the OpenID provider."""

from identity_service.oidc.routes.browser import router as browser
from identity_service.oidc.routes.device_pages import router as device_pages
from identity_service.oidc.routes.devices import router as devices
from identity_service.oidc.routes.logout_notices import router as logout_notices
from identity_service.oidc.routes.protocol import router as protocol

routers = (protocol, browser, device_pages, devices, logout_notices)
