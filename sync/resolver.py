"""The name server that is asked: the machine's own, or one that the settings name."""

import dns.asyncresolver


def resolver_at(place: tuple[str, int] | None) -> dns.asyncresolver.Resolver:
    """A resolver that asks the server at this address and port. Raises dns.exception.DNSException where the machine
    has none of its own.
    """
    if place is None:
        return dns.asyncresolver.Resolver()
    resolver = dns.asyncresolver.Resolver(configure=False)
    resolver.nameservers = [place[0]]
    resolver.port = place[1]
    return resolver
