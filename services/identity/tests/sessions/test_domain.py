"""What a person recognises a device by."""

import pytest

from identity_service.sessions.domain import UNKNOWN, device_of, recognisable


@pytest.mark.parametrize(
    ("user_agent", "device"),
    [
        ("Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/140.0 Safari/537.36 Edg/140.0", "Edge · Windows"),
        (
            "Mozilla/5.0 (Linux; Android 16) Chrome/140.0 HuaweiBrowser/16.0 Safari/537",
            "华为浏览器 · Android",
        ),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 19_0) Safari/604.1 MicroMessenger/8.0", "微信 · iPhone"),
        ("Mozilla/5.0 (Linux; U; Android 15) UCBrowser/17.0 Mobile", "UC浏览器 · Android"),
        ("okhttp/5.1.0", UNKNOWN),
        ("", UNKNOWN),
    ],
)
def test_program_and_system_of_a_browser(user_agent: str, device: str) -> None:
    assert device_of(user_agent) == device


@pytest.mark.parametrize(
    ("device", "apps", "shown"),
    [
        ("Chrome · Windows", ["联办"], "Chrome · Windows"),
        ("政务大厅自助终端", ["政务大厅自助终端"], "政务大厅自助终端"),
        (UNKNOWN, ["联办", "办事", "联办"], "联办 · 办事"),
        (None, ["联办"], "联办"),
        (UNKNOWN, [], None),
    ],
)
def test_a_device_that_says_nothing_of_itself_is_called_after_its_applications(
    device: str | None, apps: list[str], shown: str | None
) -> None:
    assert recognisable(device, apps) == shown
