-- Every mail account is an outgoing server too, whoever connects it: also the release before this one, while it serves.
CREATE FUNCTION account_sends() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO outgoing_servers (account_id, name, host, port, security, username, credentials, for_all, state, created_at)
    VALUES (NEW.id, '', '', 0, '', '', '', false, '{}', now()) ON CONFLICT (account_id) DO NOTHING;
    RETURN NULL;
END
$$;
CREATE TRIGGER account_sends AFTER INSERT ON mail_accounts FOR EACH ROW EXECUTE FUNCTION account_sends();
INSERT INTO outgoing_servers (account_id, name, host, port, security, username, credentials, for_all, state, created_at)
SELECT id, '', '', 0, '', '', '', false, '{}', now() FROM mail_accounts;

ALTER TABLE mailboxes ADD CONSTRAINT mailboxes_outgoing_server
    FOREIGN KEY (outgoing_server_id) REFERENCES outgoing_servers (id) ON DELETE SET NULL;
ALTER TABLE outgoing ADD CONSTRAINT outgoing_server
    FOREIGN KEY (server_id) REFERENCES outgoing_servers (id) ON DELETE SET NULL;
CREATE INDEX outgoing_by_server ON outgoing (server_id) WHERE server_id IS NOT NULL;
CREATE UNIQUE INDEX outgoing_servers_for_all ON outgoing_servers (for_all) WHERE for_all;

-- What a mailbox sends through: what an admin chose for it, else its own account, else what there is for all, else the
-- account of the intake.
CREATE FUNCTION server_of(mailbox bigint) RETURNS bigint LANGUAGE sql STABLE AS $$
    SELECT coalesce(
        (SELECT m.outgoing_server_id FROM mailboxes m WHERE m.id = mailbox),
        (SELECT s.id FROM outgoing_servers s JOIN mail_accounts a ON a.id = s.account_id WHERE a.mailbox_id = mailbox),
        (SELECT s.id FROM outgoing_servers s WHERE s.for_all),
        (SELECT s.id FROM outgoing_servers s JOIN mail_accounts a ON a.id = s.account_id
           JOIN mailboxes i ON i.id = a.mailbox_id WHERE i.kind = 'intake' ORDER BY s.id LIMIT 1))
$$;

-- Where an address is in use as one that mail is from, or that answers go to. `id` is the row of what names it.
CREATE VIEW address_uses (address, use, id) AS
    SELECT lower(address), kind, id FROM mailboxes WHERE address LIKE '%_@_%'
    UNION ALL SELECT lower(address), 'identity', id FROM identities
    UNION ALL SELECT lower(reply_to), 'reply_to', id FROM identities WHERE reply_to <> ''
    UNION ALL SELECT lower(username), 'server', id FROM outgoing_servers
               WHERE account_id IS NULL AND username LIKE '%_@_%'
    UNION ALL SELECT lower(coalesce(nullif(smtp_username, ''), username)), 'account', mailbox_id FROM mail_accounts
               WHERE coalesce(nullif(smtp_username, ''), username) LIKE '%_@_%'
    UNION ALL SELECT lower(email), 'person', id FROM users WHERE active
    UNION ALL SELECT lower(sender.value ->> 'reply_to'), 'system', 0
                FROM organisation o, jsonb_each(coalesce(o.settings -> 'system_mail', '{}')) sender
               WHERE sender.value ->> 'reply_to' LIKE '%_@_%';

-- What was in use before is not asked about by itself: an admin sends those links.
INSERT INTO used_addresses (address, verified_by, created_at)
SELECT DISTINCT address, '', now() FROM address_uses;
