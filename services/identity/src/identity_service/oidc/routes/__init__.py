"""HTTP of the OpenID provider."""

from identity_service.oidc.routes.browser import direct as direct_browser
from identity_service.oidc.routes.browser import router as browser
from identity_service.oidc.routes.device_pages import router as device_pages
from identity_service.oidc.routes.devices import router as devices
from identity_service.oidc.routes.logout_notices import router as logout_notices
from identity_service.oidc.routes.protocol import direct as direct_protocol
from identity_service.oidc.routes.protocol import router as protocol
from identity_service.oidc.routes.protocol import well_known
from identity_service.oidc.routes.verification_page import router as verification_page

# First what is asked for most: routes are tried in this order.
routers = (
    direct_protocol,
    direct_browser,
    browser,
    protocol,
    verification_page,
    device_pages,
    devices,
    logout_notices,
    well_known,
)
