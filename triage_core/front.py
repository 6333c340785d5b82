"""Where requests come from: over loopback, or from elsewhere by a public address and proxies that are trusted."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import urlsplit

from triage_core.errors import Refused

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
HERE = ("127.0.0.1", "::1")
_ORIGIN = re.compile(r"https?://[a-z0-9.\-\[\]:]+")
_WITH_PORT = re.compile(r"\[(?P<six>[^\]]*)\](:\d+)?|(?P<four>[\d.]+):\d+", re.ASCII)


@dataclass(frozen=True, slots=True)
class Front:
    """address: what reporters open, as a browser names an origin ("": this machine's own address).

    proxies: networks of those whose word on who sent a request is believed. Raises Refused for an
    address that is no origin.
    """

    address: str = ""
    proxies: tuple[Network, ...] = ()

    def __post_init__(self) -> None:
        if self.address:
            check_origin("FLAWDESK_PUBLIC_URL", self.address)

    @property
    def host(self) -> str:
        """Host and port of the public address as a request to it names them."""
        return self.address.partition("://")[2]

    def sender(self, forwarded: Iterable[str]) -> str:
        """Who sent a request that came over loopback, by the values of its X-Forwarded-For headers.

        Each proxy adds the address that it was asked from at the end: the last one is believed when it
        comes from a proxy we trust, the one before when that address is such a proxy too, and so on.
        """
        sender = HERE[0]
        for hop in reversed(",".join(forwarded).split(",")):
            if not self._trusts(sender):
                break
            found = _WITH_PORT.fullmatch(hop.strip())
            try:
                address = ipaddress.ip_address(found["six"] or found["four"] if found else hop.strip())
            except ValueError:
                break
            sender = str(getattr(address, "ipv4_mapped", None) or address)
        return sender

    def _trusts(self, sender: str) -> bool:
        names = HERE if sender in HERE else (sender,)
        return any(ipaddress.ip_address(name) in network for name in names for network in self.proxies)


@lru_cache(64)  # a server asks for its own address, request after request
def is_loopback(address: str | None) -> bool:
    """True for a name or number of the loopback interface."""
    if address is None:
        return False
    if address == "localhost":
        return True
    try:
        return ipaddress.ip_address(address.strip("[]")).is_loopback
    except ValueError:
        return False


def check_origin(field: str, origin: str) -> None:
    """Refuse what a browser would not send as an origin: scheme, host, and the port unless it is the usual one."""
    rule = "must be an origin as browsers send it, like https://www.example.org"
    if len(origin) > 300 or not _ORIGIN.fullmatch(origin):
        raise Refused(field, rule)
    try:
        parts = urlsplit(origin)
        usual = {"http": 80, "https": 443}[parts.scheme]
        if not parts.hostname or parts.port == usual:
            raise Refused(field, rule)
    except ValueError as error:
        raise Refused(field, rule) from error
