"""A name server and an HTTPS server for one test, in its own loop: what discovery asks."""

import asyncio
import ssl
import tempfile
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import cast

import dns.asyncresolver
import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset

from tests.servers.certificate import Certificate


class _NameServer(asyncio.DatagramProtocol):
    def __init__(self, records: Mapping[tuple[str, str], list[str]], failing: Collection[str]) -> None:
        self.records = records
        self.failing = failing
        self.asked: list[tuple[str, str]] = []
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        query = dns.message.from_wire(data)
        question = query.question[0]
        key = (question.name.to_text(omit_final_dot=True).lower(), dns.rdatatype.to_text(question.rdtype))
        self.asked.append(key)
        answer = dns.message.make_response(query)
        answer.flags |= dns.flags.RA
        if key[0] in self.failing:
            answer.set_rcode(dns.rcode.SERVFAIL)
        elif key in self.records:
            answer.answer.append(dns.rrset.from_text_list(question.name, 60, "IN", key[1], self.records[key]))
        elif not any(f".{name}".endswith(f".{key[0]}") for name, _ in self.records):  # RFC 8020
            answer.set_rcode(dns.rcode.NXDOMAIN)
        assert self._transport is not None
        self._transport.sendto(answer.to_wire(), addr)


@asynccontextmanager
async def name_server(
    records: Mapping[tuple[str, str], list[str]], failing: Collection[str] = ()
) -> AsyncIterator[tuple[dns.asyncresolver.Resolver, list[tuple[str, str]]]]:
    """A resolver that asks a server with only these records, {(name, type): [texts]}, and what it was asked. Of the
    names `failing` it says that it could not find out."""
    loop = asyncio.get_running_loop()
    transport, server = await loop.create_datagram_endpoint(lambda: _NameServer(records, failing), ("127.0.0.1", 0))
    resolver = dns.asyncresolver.Resolver(configure=False)
    resolver.nameservers = ["127.0.0.1"]
    resolver.port = int(transport.get_extra_info("sockname")[1])
    try:
        yield resolver, server.asked
    finally:
        transport.close()


@asynccontextmanager
async def https_server(certificate: Certificate, pages: Mapping[str, bytes]) -> AsyncIterator[tuple[int, list[str]]]:
    """A port that answers `https://HOST/PATH` with raw HTTP responses, by "HOST/PATH", and what was asked of it."""
    asked: list[str] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        path = head.split(" ")[1].partition("?")[0]
        host = head.partition("Host: ")[2].partition("\r\n")[0]
        asked.append(host + path)
        writer.write(pages.get(host + path, b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"))
        await writer.drain()
        writer.close()

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "both.pem"
        path.write_text(certificate.certificate_pem + certificate.key_pem)
        context.load_cert_chain(path)
    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    try:
        yield int(server.sockets[0].getsockname()[1]), asked
    finally:
        server.close()
        await server.wait_closed()
