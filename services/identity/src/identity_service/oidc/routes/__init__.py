"""HTTP of the OpenID provider."""

from identity_service.oidc.routes.browser import router as browser
from identity_service.oidc.routes.device_pages import router as device_pages
from identity_service.oidc.routes.devices import router as devices
from identity_service.oidc.routes.logout_notices import router as logout_notices
from identity_service.oidc.routes.protocol import router as protocol
from identity_service.oidc.routes.verification_page import router as verification_page

routers = (protocol, browser, verification_page, device_pages, devices, logout_notices)
