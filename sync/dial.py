"""Opening a connection to a mail server: look the name up, check where it leads, connect, agree on TLS.

Shared by IMAP and SMTP, so that a name typed by a user is checked in one place: the address that was checked
is the address that is connected to, so a name server that changes its answer in between gains nothing.
"""

import asyncio
import contextlib
import ipaddress
import socket
import ssl
from functools import lru_cache

from sync.errors import ServerProblem, server_problem
from sync.types import ServerLogin

Address = tuple[socket.AddressFamily, tuple[str | int | bytes, ...]]
"""What socket.connect needs."""

_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_NOT_PUBLIC = (
    ipaddress.IPv6Network("::/96"),  # IPv4 wrapped as in RFC 4291 section 2.5.5.1, long given up
    ipaddress.IPv6Network("64:ff9b:1::/48"),  # translated to IPv4 inside a network (RFC 8215)
    ipaddress.IPv6Network("fec0::/10"),  # site-local (RFC 3879)
)
"""What Python counts as global although it may lead into a private network."""

CONNECT_SECONDS = 15.0
"""For all addresses of a name together, without TLS."""


async def dial(login: ServerLogin, timeout: float = CONNECT_SECONDS) -> socket.socket:
    """A connected, non-blocking socket, without TLS yet. Raises CannotReach."""
    try:
        async with asyncio.timeout(timeout):
            addresses = await resolve(login.host, login.port, private_network=login.private_network)
            return await _connect_to_first(addresses)
    except (OSError, TimeoutError) as error:
        raise connect_problem(error, login) from error


async def resolve(host: str, port: int, *, private_network: bool) -> list[Address]:
    """The socket addresses of a host. Raises socket.gaierror; CannotReach when one of them is not public."""
    addresses = _written_out(host, port) or await _look_up(host, port)
    if not private_network:
        for _, sockaddr in addresses:
            if not is_public(str(sockaddr[0])):
                raise server_problem(
                    "address_not_allowed", host=host, port=port, server_words=f"{host} is {sockaddr[0]}"
                )
    return addresses


def _written_out(host: str, port: int) -> list[Address]:
    """The address itself when the host is one; nobody need be asked then."""
    try:
        version = ipaddress.ip_address(host).version
    except ValueError:
        return []
    return [(socket.AF_INET, (host, port)) if version == 4 else (socket.AF_INET6, (host, port))]


async def _look_up(host: str, port: int) -> list[Address]:
    name = host if _is_ascii(host) else host.encode("idna").decode()
    found = await asyncio.get_running_loop().getaddrinfo(name, port, type=socket.SOCK_STREAM)
    return [(family, tuple(sockaddr)) for family, _, _, _, sockaddr in found]


def is_public(address: str) -> bool:
    """Whether an IP address belongs to the public internet, also when IPv4 is wrapped in IPv6."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        if any(ip in network for network in _NOT_PUBLIC):
            return False
        wrapped = ip.ipv4_mapped or ip.sixtofour
        if wrapped is None and ip in _NAT64:
            wrapped = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
        if wrapped is not None:
            ip = wrapped
    return ip.is_global and not ip.is_multicast


@lru_cache(maxsize=32)
def tls_context(authority_pem: str | None) -> ssl.SSLContext:
    """Certificates and names are always verified; `authority_pem` adds an authority to the public ones."""
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if authority_pem is not None:
        context.load_verify_locations(cadata=authority_pem)
    return context


def connect_problem(error: BaseException, login: ServerLogin) -> ServerProblem:
    """The words for an error of the network or of TLS."""
    code = _code_of(error)
    return server_problem(
        code, host=login.host, port=login.port, username=login.username, server_words=_words_of(error)
    )


async def _connect_to_first(
    addresses: list[Address],
) -> socket.socket:
    loop = asyncio.get_running_loop()
    failure: OSError = OSError("the name has no address")
    for family, sockaddr in addresses:
        connection = socket.socket(family, socket.SOCK_STREAM)
        connection.setblocking(False)
        _keep_alive(connection)
        try:
            await loop.sock_connect(connection, sockaddr)
        except OSError as error:
            connection.close()
            failure = error
        except BaseException:
            connection.close()
            raise
        else:
            return connection
    raise failure


def _keep_alive(connection: socket.socket) -> None:
    """Let the kernel notice within about two minutes of silence that the other side is gone."""
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, value in (("TCP_KEEPIDLE", 60), ("TCP_KEEPINTVL", 15), ("TCP_KEEPCNT", 4)):
        with contextlib.suppress(AttributeError, OSError):  # not every system has all three
            connection.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), value)


def _code_of(error: BaseException) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return "tls_not_trusted"
    if isinstance(error, ssl.SSLError):
        return "tls_failed"
    if isinstance(error, socket.gaierror):
        missing = {socket.EAI_NONAME, getattr(socket, "EAI_NODATA", socket.EAI_NONAME)}
        return "name_not_found" if error.errno in missing else "name_lookup_failed"
    if isinstance(error, UnicodeError):
        return "name_not_found"
    if isinstance(error, TimeoutError):
        return "timeout"
    if isinstance(error, ConnectionRefusedError):
        return "refused"
    if isinstance(error, ConnectionError):
        return "connection_lost"
    return "unreachable"


def _words_of(error: BaseException) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return error.verify_message
    if isinstance(error, TimeoutError):
        return str(error) or "timed out"
    return getattr(error, "strerror", None) or str(error)


def _is_ascii(host: str) -> bool:
    return host.isascii()
