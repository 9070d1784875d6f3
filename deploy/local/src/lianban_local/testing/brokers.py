"""NATS for tests."""

import nats
from nats.js.errors import NotFoundError

from lianban_local.servers.nats import NatsServer


class TestNats:
    """The NATS of this worker: streams have fixed names, so workers must not share one."""

    __test__ = False

    def __init__(self, server: NatsServer) -> None:
        self.server = server
        self.url = server.url

    async def clear(self) -> None:
        """Delete every stream with its consumers, for a test that starts from nothing."""
        client = await nats.connect(self.url)
        try:
            jetstream = client.jetstream()
            for stream in await jetstream.streams_info():
                try:
                    await jetstream.delete_stream(str(stream.config.name))
                except NotFoundError:
                    continue
        finally:
            await client.close()
