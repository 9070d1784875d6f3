"""The whole platform, started once for all tests that need it, the way a person starts it."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest

from lianban_local.demo.app import App
from lianban_local.testing.stack import RunningPlatform, running_platform


@pytest.fixture(scope="session")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningPlatform]:
    """Real servers, all services, the edge, catalogue and demo people."""
    state: Path = tmp_path_factory.mktemp("platform") / "state"
    with running_platform(state) as platform:
        yield platform
    assert platform.left() == [], "a stop leaves no process"


@pytest.fixture
async def app(platform: RunningPlatform) -> AsyncIterator[App]:
    """Client applications at the running platform."""
    async with httpx.AsyncClient(timeout=30) as http:
        yield App(platform.run, http)
