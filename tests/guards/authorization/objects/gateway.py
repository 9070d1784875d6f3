"""A webhook of the own department."""

from tests.guards.authorization.rooms import Objects, Room


async def furnish(room: Room) -> Objects:
    """Makes them; those who may make them do so where that is quick."""
    body = {"url": "https://approval.example.gov.cn/hook", "event_types": ["case.submitted"]}
    webhook = await room.create("partner", "/gateway/v1/webhooks", body)
    return Objects({"webhook_id": webhook["id"]})
