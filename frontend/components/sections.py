"""The sections of the settings: what each is called, whether it is for admins only, and its pages."""

SECTIONS = (
    (
        "You",
        False,
        (
            ("user", "Profile", "/settings/"),
            ("bell", "Notifications", "/settings/notifications/"),
            ("keyboard", "Shortcuts", "/settings/shortcuts/"),
            ("key-round", "API tokens", "/settings/tokens/"),
        ),
    ),
    (
        "Mail",
        False,
        (
            ("inbox", "Mailboxes", "/settings/mailboxes/"),
            ("tag", "Tags", "/settings/tags/"),
            ("list-filter", "Views", "/settings/views/"),
            ("notebook-text", "Templates", "/settings/templates/"),
            ("link", "Links", "/settings/links/"),
            ("signature", "Signatures", "/settings/signatures/"),
            ("files", "Documents", "/settings/documents/"),
            ("ban", "Blocked senders", "/settings/blocked-senders/"),
        ),
    ),
    (
        "Organisation",
        True,
        (
            ("users", "People", "/settings/people/"),
            ("users-round", "Teams", "/settings/teams/"),
            ("building-2", "Organisation", "/settings/organisation/"),
            ("split", "Intake", "/settings/intake/"),
            ("send", "Outgoing mail", "/settings/outgoing/"),
        ),
    ),
    (
        "Operation",
        True,
        (
            ("circle-alert", "Failed jobs", "/settings/failed-jobs/"),
            ("scroll-text", "Audit log", "/settings/audit/"),
        ),
    ),
)
