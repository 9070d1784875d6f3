"""The self-service terminal of the demo, as its seed registers it: let in with the app (RFC 8628)."""

import httpx
from services.identity.tests.factories import HEALTH_USCC, LOOPBACK, Population, RegisteredClient, Tokens
from services.identity.tests.flows import Application

from identity_service.organisation.domain import Role
from lianban_local.demo import people

KIOSK = "lianban-kiosk"


async def test_the_kiosk_of_the_demo_is_registered_and_let_in(
    client: httpx.AsyncClient, population: Population, tokens: Tokens
) -> None:
    entry = next(one for one in people.CAST["clients"] if one["client_id"] == KIOSK)
    hall = await population.department(HEALTH_USCC)
    body = {name: value for name, value in entry.items() if name != "organ"}
    operator = tokens.staff(await population.staff(Role.OPERATOR))
    made = await client.post(
        "/identity/v1/clients", json={**body, "department_id": str(hall.id)}, headers=operator
    )
    assert (made.status_code, made.json()["client_secret"]) == (201, None), made.text
    kiosk = Application(client, RegisteredClient(KIOSK, None), "")
    codes = (await kiosk.call("/identity/device_authorization", scope="openid profile")).json()
    phone = Application(client, await population.app(), LOOPBACK)
    held = await phone.tokens(await population.person(), "openid identity:devices.approve")
    approved = await client.post(
        f"/identity/v1/me/device-authorizations/{codes['user_code']}/approve",
        headers={"Authorization": f"Bearer {held['access_token']}"},
    )
    assert approved.status_code == 204, approved.text
    answer = await kiosk.token(
        grant_type="urn:ietf:params:oauth:grant-type:device_code", device_code=codes["device_code"]
    )
    assert answer.json()["refresh_token"], answer.text
