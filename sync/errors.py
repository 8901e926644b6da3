"""Everything that goes wrong with a mail server, as one tree.

    SyncError
    ├── ServerProblem             carries a Problem: code, permanent, sentence, remedy, server_words
    │   ├── CannotReach           name_not_found, name_lookup_failed, address_not_allowed, refused,
    │   │                         unreachable, timeout, connection_lost, not_a_mail_server
    │   ├── CannotTrust           tls_not_trusted, tls_failed, tls_not_offered, tls_needed
    │   ├── CannotSignIn          wrong_password, app_password_needed, oauth_needed, oauth_refused,
    │   │                         oauth_revoked, oauth_misconfigured, imap_disabled, smtp_disabled,
    │   │                         account_locked, sign_in_not_offered
    │   ├── Busy                  too_many_connections, throttled, server_unavailable, oauth_unavailable
    │   └── CommandRefused        no_such_folder, folder_not_permitted, folder_refused, over_quota,
    │                             read_only, refused_by_server, answer_not_understood
    ├── FolderChanged             UIDVALIDITY is not the one under which a UID was noted
    ├── CannotStore               a message itself is the reason that its batch could not be stored
    └── LeaseLost                 another process holds the account: stop, write nothing

A ServerProblem says whether trying again can help (`permanent`), what happened in one sentence, what to do
about it, and keeps the server's own words beside. The sentences stand in one table below.
"""

from sync.types import Problem


class SyncError(Exception):
    """The root of all errors raised by `sync`."""


class ServerProblem(SyncError):
    """A mail server could not be used; `problem` says why in words for people."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(f"{problem.code}: {problem.sentence} [{problem.server_words}]")
        self.problem = problem

    @property
    def code(self) -> str:
        return self.problem.code

    @property
    def permanent(self) -> bool:
        return self.problem.permanent

    @property
    def sentence(self) -> str:
        return self.problem.sentence

    @property
    def remedy(self) -> str:
        return self.problem.remedy

    @property
    def server_words(self) -> str:
        return self.problem.server_words


class CannotReach(ServerProblem):
    """No connection could be made, or it broke."""


class CannotTrust(ServerProblem):
    """The connection cannot be protected as asked."""


class CannotSignIn(ServerProblem):
    """The server is there and does not let us in."""


class Busy(ServerProblem):
    """The server asks to come back later."""


class CommandRefused(ServerProblem):
    """The server let us in and refused one request."""


class FolderChanged(SyncError):
    """The folder's UIDVALIDITY changed: UIDs noted before mean nothing now (RFC 9051 section 2.3.1.1)."""


class CannotStore(SyncError):
    """Raised by a store when a message of the batch is to blame, not the database: nothing of it was stored."""


class LeaseLost(SyncError):
    """Another process watches the account now."""


_KINDS: dict[str, tuple[type[ServerProblem], bool, str, str]] = {
    # code: (class, permanent, sentence, remedy); {host}, {port} and {username} are filled in.
    "name_not_found": (
        CannotReach,
        True,
        "There is no server called {host}.",
        "Check the server name for a typing mistake.",
    ),
    "name_lookup_failed": (
        CannotReach,
        False,
        "The name {host} could not be looked up just now.",
        "This usually passes by itself. If it stays, check this machine's connection and its DNS settings.",
    ),
    "address_not_allowed": (
        CannotReach,
        True,
        "{host} lies inside a private network, which is not allowed here.",
        "Use the server's public name, or ask an admin to allow this server in the installation's settings.",
    ),
    "refused": (
        CannotReach,
        False,
        "{host} is there, but nothing answers on port {port}.",
        "Check the port number: IMAP is usually 993, sending 465 or 587. The server may also be restarting.",
    ),
    "unreachable": (
        CannotReach,
        False,
        "{host} cannot be reached from here.",
        "Check this machine's network connection, and whether a firewall blocks port {port}.",
    ),
    "timeout": (
        CannotReach,
        False,
        "{host} did not answer in time on port {port}.",
        "Check the port, and whether a firewall lies between. A slow server comes back by itself.",
    ),
    "connection_lost": (
        CannotReach,
        False,
        "The connection to {host} broke off.",
        "Nothing to do: it is opened again by itself.",
    ),
    "not_a_mail_server": (
        CannotReach,
        True,
        "What answers at {host} on port {port} is not the mail server that was expected.",
        "Check port and protection: 993 and 465 want TLS from the start; 143 and 587 want STARTTLS.",
    ),
    "tls_not_trusted": (
        CannotTrust,
        True,
        "{host} shows a certificate that cannot be trusted.",
        "Check the server name. If it is right, its operator must renew or repair the certificate.",
    ),
    "tls_failed": (
        CannotTrust,
        True,
        "No protected connection could be agreed with {host} on port {port}.",
        "Check whether this port wants TLS from the start (993, 465) or STARTTLS (143, 587).",
    ),
    "tls_not_offered": (
        CannotTrust,
        True,
        "{host} does not offer STARTTLS on port {port}.",
        "Choose TLS with port 993 (IMAP) or 465 (sending).",
    ),
    "tls_needed": (
        CannotTrust,
        True,
        "{host} accepts passwords only over a protected connection.",
        "Choose TLS or STARTTLS in the account's settings.",
    ),
    "wrong_password": (
        CannotSignIn,
        True,
        "{host} does not accept this user name and password.",
        "Type the password again. The user name is usually the whole address, sometimes the part before @.",
    ),
    "app_password_needed": (
        CannotSignIn,
        True,
        "{host} wants an app password instead of the usual one.",
        "Create an app password in the security settings of your mail provider, and enter it here.",
    ),
    "oauth_needed": (
        CannotSignIn,
        True,
        "{host} no longer accepts passwords from mail programs.",
        "Connect this account by signing in at the provider (OAuth 2).",
    ),
    "oauth_refused": (
        CannotSignIn,
        True,
        "{host} does not accept this sign-in for {username}.",
        "Sign in again at the provider, with the person that this account belongs to.",
    ),
    "oauth_revoked": (
        CannotSignIn,
        True,
        "{host} ended the permission to use this account.",
        "Sign in again. A permission ends with a new password, by withdrawing it at the provider, or unused for long.",
    ),
    "oauth_misconfigured": (
        CannotSignIn,
        True,
        "{host} does not recognise this installation of Tandem.",
        "Whoever runs Tandem must check client id, secret and redirect address at {host} and in the settings.",
    ),
    "oauth_unavailable": (
        Busy,
        False,
        "{host} could not be asked for a new sign-in just now.",
        "Nothing to do: it is tried again by itself.",
    ),
    "imap_disabled": (
        CannotSignIn,
        True,
        "Access by IMAP is switched off for {username}.",
        "Switch IMAP on in the web settings of your mail provider, or ask the administrator there.",
    ),
    "smtp_disabled": (
        CannotSignIn,
        True,
        "Sending by SMTP with a password is switched off for {username}.",
        "Switch authenticated SMTP on at your mail provider, or ask the administrator there.",
    ),
    "account_locked": (
        CannotSignIn,
        True,
        "The account {username} is locked or must be confirmed first.",
        "Sign in once on the web site of your mail provider, and do what it asks for.",
    ),
    "sign_in_not_offered": (
        CannotSignIn,
        True,
        "{host} offers no way of signing in that is known here.",
        "Choose TLS or STARTTLS; many servers offer sign-in only then. Else check host and port.",
    ),
    "too_many_connections": (
        Busy,
        False,
        "{host} counts too many connections for {username}.",
        "It is tried again by itself. Closing other mail programs helps.",
    ),
    "throttled": (
        Busy,
        False,
        "{host} asks to slow down.",
        "Nothing to do: it is tried again, more slowly, until the provider's limit is over.",
    ),
    "server_unavailable": (
        Busy,
        False,
        "{host} is out of order just now.",
        "Nothing to do: it is tried again by itself.",
    ),
    "no_such_folder": (
        CommandRefused,
        True,
        "A folder that is needed does not exist at {host}.",
        "Choose another folder in the account's settings, or create it again.",
    ),
    "folder_not_permitted": (
        CommandRefused,
        False,
        "{host} does not let {username} read this folder.",
        "Ask the folder's owner for the right to read it, or choose not to fetch it.",
    ),
    "folder_refused": (
        CommandRefused,
        False,
        "{host} does not open this folder.",
        "If it stays so, show the server's words to its operator, or choose not to fetch the folder.",
    ),
    "over_quota": (
        CommandRefused,
        True,
        "The mailbox of {username} is full.",
        "Delete mail or get more space from the provider.",
    ),
    "read_only": (
        CommandRefused,
        True,
        "{host} lets {username} read this folder but not change it.",
        "Ask the owner of the folder for the right to change it.",
    ),
    "refused_by_server": (
        CommandRefused,
        False,
        "{host} refused a request.",
        "It is tried again by itself. If it stays, show the server's words to its operator.",
    ),
    "answer_not_understood": (
        CommandRefused,
        False,
        "{host} answered something that could not be understood.",
        "It is tried again by itself. If it stays, please report it with the server's words.",
    ),
}

PROBLEM_CODES = frozenset(_KINDS)
"""Every value that `Problem.code` takes for IMAP, for connecting and for signing in."""


def server_problem(code: str, *, host: str, port: int = 0, username: str = "", server_words: str = "") -> ServerProblem:
    """The error for `code`, ready to raise, with its sentence and remedy filled in."""
    kind, permanent, sentence, remedy = _KINDS[code]
    names = {"host": host, "port": port, "username": username or "this account"}
    problem = Problem(code, permanent, sentence.format(**names), remedy.format(**names), server_words.strip())
    return kind(problem)
