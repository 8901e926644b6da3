"""From addresses to servers: known providers, a real name server and HTTPS server, and what must not be followed."""

import pytest

from sync.discovery import LARGEST_FILE, Network, ServerGuess, discover, parse_autoconfig
from sync.providers import PROVIDERS, ServerAddress
from tests.servers.certificate import make_certificate
from tests.servers.names import https_server, name_server

AUTOCONFIG = b"""<?xml version="1.0" encoding="UTF-8"?>
<clientConfig version="1.1">
  <emailProvider id="shop.example">
    <domain>shop.example</domain>
    <displayName>Shop Mail</displayName>
    <incomingServer type="pop3">
      <hostname>pop.shop.example</hostname><port>995</port><socketType>SSL</socketType>
      <username>%EMAILADDRESS%</username><authentication>password-cleartext</authentication>
    </incomingServer>
    <incomingServer type="imap">
      <hostname>mx.%EMAILDOMAIN%</hostname><port>993</port><socketType>SSL</socketType>
      <username>%EMAILLOCALPART%</username><authentication>password-cleartext</authentication>
    </incomingServer>
    <incomingServer type="imap">
      <hostname>mx.shop.example</hostname><port>143</port><socketType>plain</socketType>
    </incomingServer>
    <outgoingServer type="smtp">
      <hostname>out.shop.example</hostname><port>587</port><socketType>STARTTLS</socketType>
      <username>%EMAILADDRESS%</username><authentication>password-cleartext</authentication>
    </outgoingServer>
  </emailProvider>
</clientConfig>"""


def summary(guess: ServerGuess) -> str:
    imap, smtp = guess.imap, guess.smtp
    return f"{guess.source} {imap.host}:{imap.port}/{imap.security} {smtp.host}:{smtp.port}/{smtp.security}"


@pytest.mark.parametrize(
    ("address", "imap", "sign_in"),
    [
        ("ana@gmail.com", "imap.gmail.com", "app_password"),
        (" Ana.B@GoogleMail.com ", "imap.gmail.com", "app_password"),
        ("ana@outlook.com", "outlook.office365.com", "oauth"),
        ("ana@yahoo.de", "imap.mail.yahoo.com", "app_password"),
        ("ana@icloud.com", "imap.mail.me.com", "app_password"),
        ("ana@fastmail.com", "imap.fastmail.com", "app_password"),
        ("ana@gmx.de", "imap.gmx.net", "password"),
        ("ana@web.de", "imap.web.de", "password"),
        ("ana@zoho.eu", "imap.zoho.eu", "password"),
        ("ana@mailbox.org", "imap.mailbox.org", "password"),
        ("ana@posteo.de", "posteo.de", "password"),
    ],
)
async def test_known_providers_need_no_network(address: str, imap: str, sign_in: str) -> None:
    [guess] = await discover(address, network=False)
    assert (guess.imap.host, guess.sign_in, guess.source) == (imap, sign_in, "provider")
    assert (guess.hint == "") is (sign_in == "password" and guess.provider in ("mailbox.org", "Posteo"))
    assert "{" not in guess.hint


async def test_user_names() -> None:
    [guess] = await discover("ana@icloud.com", network=False)
    assert (guess.imap_username, guess.smtp_username) == ("ana", "ana@icloud.com")


async def test_guesses_without_network() -> None:
    guesses = await discover("ana@Shöp.example", network=False)
    assert summary(guesses[0]) == "guess imap.xn--shp-tna.example:993/tls smtp.xn--shp-tna.example:465/tls"
    assert {guess.imap.port for guess in guesses} == {993, 143}
    assert {guess.smtp.port for guess in guesses} == {465, 587}
    assert all(guess.imap.security != "none" != guess.smtp.security for guess in guesses)


@pytest.mark.parametrize(
    "address", ["", "ana", "@shop.example", "ana@", "ana@shop", "a na@shop.example", "a@b c.example", "a@..example"]
)
async def test_what_is_no_address(address: str) -> None:
    with pytest.raises(ValueError, match="not a mail address"):
        await discover(address, network=False)


async def test_srv_records() -> None:
    records = {
        ("_imaps._tcp.shop.example", "SRV"): ["20 1 993 late.shop.example.", "10 5 9993 first.shop.example."],
        ("_submissions._tcp.shop.example", "SRV"): ["0 0 0 ."],
        ("_submission._tcp.shop.example", "SRV"): ["0 1 587 out.elsewhere.example."],
    }
    async with name_server(records) as (resolver, _):
        guesses = await discover("ana@shop.example", network=True, asking=Network(resolver=resolver))
    assert summary(guesses[0]) == "srv first.shop.example:9993/tls out.elsewhere.example:587/starttls"
    assert guesses[0].confirm


async def test_mx_gives_the_provider_away() -> None:
    for mx, provider in (
        ("10 aspmx.l.google.com.", "Gmail"),
        ("10 shop-example.mail.protection.outlook.com.", "Microsoft 365"),
        ("10 mx.zoho.eu.", "Zoho Mail"),
        ("5 smtpin.rzone.de.", "STRATO"),
    ):
        async with name_server({("shop.example", "MX"): [mx]}) as (resolver, _):
            guesses = await discover("ana@shop.example", network=True, asking=Network(resolver=resolver))
        assert (guesses[0].provider, guesses[0].source, guesses[0].confirm) == (provider, "mx", False)


async def test_srv_to_a_known_provider_brings_its_hint() -> None:
    records = {
        ("_imaps._tcp.shop.example", "SRV"): ["1 1 993 imap.fastmail.com."],
        ("_submissions._tcp.shop.example", "SRV"): ["1 1 465 smtp.fastmail.com."],
    }
    async with name_server(records) as (resolver, _):
        guesses = await discover("ana@shop.example", network=True, asking=Network(resolver=resolver))
    assert (guesses[0].provider, guesses[0].sign_in, guesses[0].confirm) == ("Fastmail", "app_password", False)


async def test_guesses_that_do_not_exist_are_left_out() -> None:
    records = {("mail.shop.example", "A"): ["203.0.113.5"], ("mail2.shop.example", "A"): ["203.0.113.5"]}
    async with name_server(records) as (resolver, _):
        asking = Network(resolver=resolver, private_network=True)
        guesses = await discover("ana@shop.example", network=True, asking=asking)
    assert {guess.imap.host for guess in guesses} == {"mail.shop.example"}


AUTOCONFIG_PAGE = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(AUTOCONFIG) + AUTOCONFIG
REDIRECT = b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: %s\r\n\r\n"


async def test_autoconfig_over_https() -> None:
    certificate = make_certificate("autoconfig.shop.example")
    records = {("autoconfig.shop.example", "A"): ["127.0.0.1"]}
    pages = {"autoconfig.shop.example/mail/config-v1.1.xml": AUTOCONFIG_PAGE}
    async with name_server(records) as (resolver, _), https_server(certificate, pages) as (port, asked):
        asking = Network(True, resolver, port, certificate.certificate_pem)
        guesses = await discover("ana@shop.example", network=True, asking=asking)
        assert summary(guesses[0]) == "autoconfig mx.shop.example:993/tls out.shop.example:587/starttls"
        assert (guesses[0].imap_username, guesses[0].smtp_username) == ("ana", "ana@shop.example")
        assert (guesses[0].provider, guesses[0].confirm) == ("Shop Mail", False)
        assert len(asked) == 1

        public_only = Network(False, resolver, port, certificate.certificate_pem)
        guesses = await discover("ana@shop.example", network=True, asking=public_only)
        assert guesses[0].source == "guess"
        assert len(asked) == 1, "a private address was asked"

        untrusting = Network(True, resolver, port)
        guesses = await discover("ana@shop.example", network=True, asking=untrusting)
        assert guesses[0].source == "guess"
        assert len(asked) == 1


@pytest.mark.parametrize(
    ("location", "reached"),
    [
        (b"/other.xml", True),
        (b"http://autoconfig.shop.example/other.xml", False),
        (b"https://inside.shop.example/other.xml", False),
        (b"file:///etc/passwd", False),
        (b"/mail/config-v1.1.xml", False),
    ],
)
async def test_redirects_are_followed_outside_and_over_https_only(location: bytes, reached: bool) -> None:
    """`inside` resolves to an address that discovery must not ask; the others would be found on our server."""
    certificate = make_certificate("autoconfig.shop.example")
    records = {("autoconfig.shop.example", "A"): ["127.0.0.1"], ("inside.shop.example", "A"): ["10.0.0.1"]}
    pages = {
        "autoconfig.shop.example/mail/config-v1.1.xml": REDIRECT % location,
        "autoconfig.shop.example/other.xml": AUTOCONFIG_PAGE,
        "inside.shop.example/other.xml": AUTOCONFIG_PAGE,
    }

    class LoopbackOnly(Network):
        """Takes the loopback for public, so that only what is really inside is inside."""

        async def addresses(self, host: str) -> list[str]:
            self.private_network = True
            found = await super().addresses(host)
            return [address for address in found if address == "127.0.0.1"]

    async with name_server(records) as (resolver, _), https_server(certificate, pages) as (port, asked):
        asking = LoopbackOnly(False, resolver, port, certificate.certificate_pem)
        guesses = await discover("ana@shop.example", network=True, asking=asking)
    assert (guesses[0].source == "autoconfig") is reached
    assert not [page for page in asked if page.startswith("inside")]
    assert len(asked) <= 4


async def test_a_file_that_never_ends_is_given_up() -> None:
    certificate = make_certificate("autoconfig.shop.example")
    records = {("autoconfig.shop.example", "A"): ["127.0.0.1"]}
    huge = b"HTTP/1.1 200 OK\r\n\r\n" + AUTOCONFIG + b" " * LARGEST_FILE
    pages = {"autoconfig.shop.example/mail/config-v1.1.xml": huge}
    async with name_server(records) as (resolver, _), https_server(certificate, pages) as (port, _):
        asking = Network(True, resolver, port, certificate.certificate_pem)
        guesses = await discover("ana@shop.example", network=True, asking=asking)
    assert guesses[0].source == "guess"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<html><body>Not here</body></html>",
        b"\xff\xfe\x00broken",
        b'<?xml version="1.0" encoding="nonsense"?><clientConfig/>',
        b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">]><clientConfig>&a;</clientConfig>',
        AUTOCONFIG.replace(b"SSL", b"plain").replace(b"STARTTLS", b"plain"),
        AUTOCONFIG.replace(b"mx.%EMAILDOMAIN%", b"bad host\n"),
        AUTOCONFIG.replace(b"<port>993</port>", b"<port>99993</port>"),
        AUTOCONFIG.replace(b'type="smtp"', b'type="smtp"').replace(b"outgoingServer", b"somethingElse"),
    ],
)
def test_files_that_say_nothing_useful(content: bytes) -> None:
    assert parse_autoconfig(content, "ana@shop.example") == []


def test_oauth_only_is_said() -> None:
    content = AUTOCONFIG.replace(b"password-cleartext", b"OAuth2")
    [guess] = parse_autoconfig(content, "ana@shop.example")
    assert guess.sign_in == "oauth"


def test_the_provider_table_is_sound() -> None:
    domains = [domain for provider in PROVIDERS for domain in provider.domains]
    assert len(domains) == len(set(domains))
    for provider in PROVIDERS:
        assert provider.domains or provider.mx
        assert provider.imap.security == "tls"
        assert provider.smtp == ServerAddress(provider.smtp.host, 465, "tls") or provider.smtp.port == 587
