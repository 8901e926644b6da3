"""An IMAP server that says what it is told to: for answers of large providers that Dovecot never gives."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from sync.types import ImapLogin

DEFAULT: Mapping[str, str] = {
    "CAPABILITY": "* CAPABILITY IMAP4rev1\r\n{tag} OK done\r\n",
    "LOGIN": "{tag} OK signed in\r\n",
    "LOGOUT": "* BYE bye\r\n{tag} OK done\r\n",
    "LIST": '* LIST () "/" INBOX\r\n{tag} OK done\r\n',
    "EXAMINE": "* 3 EXISTS\r\n* OK [UIDVALIDITY 9] x\r\n* OK [UIDNEXT 4] x\r\n{tag} OK [READ-ONLY] done\r\n",
}


@asynccontextmanager
async def scripted_imap(
    answers: Mapping[str, str], *, greeting: str = "* OK ready\r\n"
) -> AsyncIterator[tuple[ImapLogin, list[str]]]:
    """A server, as a login, and the commands it received.

    `answers` maps the beginning of a command (`UID FETCH 1:3`) to what is sent; the longest match wins, `{tag}` is
    filled in, an empty answer closes the connection. The default answers stand behind it.
    """
    commands: list[str] = []
    writers: list[asyncio.StreamWriter] = []
    script = {**DEFAULT, **answers}

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        writer.write(greeting.encode())
        while line := (await reader.readline()).decode().rstrip("\r\n"):
            tag, _, command = line.partition(" ")
            commands.append(command)
            fitting = [key for key in script if command.startswith(key)]
            answer = script[max(fitting, key=len)] if fitting else "{tag} BAD what?\r\n"
            if not answer:
                break
            writer.write(answer.replace("{tag}", tag).encode("latin-1"))
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = int(server.sockets[0].getsockname()[1])
    login = ImapLogin(
        host="127.0.0.1",
        port=port,
        security="none",
        username="ana@example.org",
        password="correct-horse",
        private_network=True,
    )
    try:
        yield login, commands
    finally:
        server.close()
        for writer in writers:
            writer.transport.abort()
        await asyncio.sleep(0)
