"""Where a receiver's name may lead: public addresses only, checked and pinned at the moment of connecting.

Checking when the subscription is made would not do: the name can point elsewhere a second later (DNS rebinding). So
the check sits in the connection itself, and what was checked is what is connected to.
"""

import asyncio
import ipaddress
import socket
from collections.abc import Iterable
from typing import Any

import httpcore

IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address

# Addresses of IPv4 hosts in IPv6 clothes: NAT64 (RFC 6052), and those without any prefix (RFC 4291 §2.5.5.1).
_IPV4_IN_IPV6 = (ipaddress.ip_network("64:ff9b::/96"), ipaddress.ip_network("::/96"))
# What Python 3.11 takes for global and is a network's own: its NAT64 (RFC 8215), and sites (RFC 3879).
_OWN = (ipaddress.ip_network("64:ff9b:1::/48"), ipaddress.ip_network("fec0::/10"))


class ForbiddenAddress(httpcore.ConnectError):
    """The name leads inside, or nowhere that we may go."""


def is_allowed(address: IpAddress, *, loopback_allowed: bool) -> bool:
    """Whether we may connect there."""
    innermost = _unwrapped(address)
    if innermost.is_loopback:
        return loopback_allowed
    return innermost.is_global and not innermost.is_multicast and not any(innermost in one for one in _OWN)


def _unwrapped(address: IpAddress) -> IpAddress:
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else None)
        if inner is None and not address.is_loopback and any(address in one for one in _IPV4_IN_IPV6):
            inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if inner is not None:
            return inner
    return address


class GuardedNetwork(httpcore.AsyncNetworkBackend):
    """Connects to checked addresses only. TLS still asks for the certificate of the name."""

    def __init__(self, *, loopback_allowed: bool) -> None:
        self._loopback_allowed = loopback_allowed
        self._network = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - the interface of httpcore
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        addresses = await _resolve(host, port)
        # One forbidden address spoils the name: which one is connected to must not be the name's owner's game.
        if not addresses or not all(
            is_allowed(one, loopback_allowed=self._loopback_allowed) for one in addresses
        ):
            raise ForbiddenAddress(host)
        return await self._network.connect_tcp(
            str(addresses[0]), port, timeout, local_address, socket_options
        )

    async def connect_unix_socket(self, *_arguments: Any, **_more: Any) -> httpcore.AsyncNetworkStream:
        raise ForbiddenAddress("a socket of this machine")

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


async def _resolve(host: str, port: int) -> list[IpAddress]:
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise httpcore.ConnectError(str(error)) from error
    return [ipaddress.ip_address(str(address[0]).split("%")[0]) for *_, address in found]
