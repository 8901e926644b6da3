-- Uniqueness and the paths that lists and look-ups take.
CREATE UNIQUE INDEX team_members_once ON team_members (team_id, user_id);
CREATE UNIQUE INDEX mailbox_users_once ON mailbox_users (mailbox_id, user_id);
CREATE UNIQUE INDEX mailbox_teams_once ON mailbox_teams (mailbox_id, team_id);
CREATE UNIQUE INDEX mailboxes_address ON mailboxes (address);
CREATE UNIQUE INDEX watermarks_once ON watermarks (mailbox_id, user_id);
CREATE UNIQUE INDEX folders_once ON folders (account_id, name);
CREATE UNIQUE INDEX conversation_people_once ON conversation_people (conversation_id, user_id, reason);
CREATE UNIQUE INDEX read_marks_once ON read_marks (conversation_id, user_id);
CREATE INDEX read_marks_user ON read_marks (user_id) WHERE forced_unread;
CREATE UNIQUE INDEX placements_once ON placements (folder_id, uid);
CREATE INDEX messages_identity ON messages (mailbox_id, message_id, content_digest);
CREATE INDEX messages_message_id ON messages (message_id);
CREATE INDEX thread_links_link ON thread_links (mailbox_id, link);
CREATE UNIQUE INDEX thread_links_once ON thread_links (mailbox_id, link, conversation_id, at) NULLS NOT DISTINCT;
CREATE INDEX conversations_list ON conversations (mailbox_id, status, last_at DESC, id DESC) WHERE joined_into IS NULL;
CREATE INDEX conversations_assignee ON conversations (assignee_id, last_at DESC) WHERE joined_into IS NULL;
CREATE UNIQUE INDEX contact_mailboxes_once ON contact_mailboxes (contact_id, mailbox_id);
CREATE INDEX notifications_person ON notifications (user_id, created_at DESC, id DESC);
CREATE UNIQUE INDEX events_number ON events (stream, position);
CREATE INDEX events_at ON events (at);
CREATE INDEX outgoing_waiting ON outgoing (state, next_attempt_at) WHERE state NOT IN ('sent', 'cancelled');

-- Search: accents folded, no stemming (a team writes in several languages).
CREATE EXTENSION IF NOT EXISTS unaccent;
CREATE EXTENSION IF NOT EXISTS pg_trgm;

CREATE FUNCTION fold_accents(value text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE STRICT
RETURN public.unaccent('public.unaccent'::regdictionary, value);

ALTER TABLE messages ADD COLUMN search tsvector GENERATED ALWAYS AS (
    setweight(to_tsvector('simple', fold_accents(left(subject, 1000))), 'A') ||
    setweight(to_tsvector('simple', fold_accents(left(
        coalesce(sender ->> 'name', '') || ' ' || coalesce(sender ->> 'address', '') || ' '
        || translate(coalesce(sender ->> 'address', ''), '@.-_', '    '), 1000))), 'B') ||
    to_tsvector('simple', fold_accents(left(body_text, 100000)))
) STORED;
CREATE INDEX messages_search ON messages USING gin (search);
CREATE INDEX contact_addresses_like ON contact_addresses USING gin (address gin_trgm_ops);

-- Who can open a mailbox.
CREATE VIEW mailbox_readers AS
    SELECT m.id AS mailbox_id, u.id AS user_id
      FROM mailboxes m JOIN users u ON u.id = m.owner_id
     WHERE m.kind = 'personal' AND u.active
    UNION
    SELECT mu.mailbox_id, mu.user_id
      FROM mailbox_users mu JOIN mailboxes m ON m.id = mu.mailbox_id JOIN users u ON u.id = mu.user_id
     WHERE m.kind = 'group' AND u.active
    UNION
    SELECT mt.mailbox_id, tm.user_id
      FROM mailbox_teams mt JOIN mailboxes m ON m.id = mt.mailbox_id
      JOIN team_members tm ON tm.team_id = mt.team_id JOIN users u ON u.id = tm.user_id
     WHERE m.kind = 'group' AND u.active;

-- Those concerned with a confidential conversation: the assignee, the members of the assigned team, who was
-- mentioned or added, who closed it, and who is addressed by their own address; always users of the mailbox.
CREATE FUNCTION concerned(conversation bigint) RETURNS SETOF bigint
LANGUAGE sql STABLE AS $$
    SELECT r.user_id
      FROM conversations c
      JOIN mailbox_readers r ON r.mailbox_id = c.mailbox_id
      JOIN users u ON u.id = r.user_id
     WHERE c.id = conversation
       AND (r.user_id = c.assignee_id
            OR EXISTS (SELECT 1 FROM team_members t WHERE t.team_id = c.assigned_team_id AND t.user_id = r.user_id)
            OR EXISTS (SELECT 1 FROM conversation_people p
                        WHERE p.conversation_id = c.id AND p.user_id = r.user_id)
            OR u.email = ANY (c.addressed))
$$;

-- Who sees a conversation: those concerned if it is confidential (everybody, if that were nobody), else the mailbox.
CREATE FUNCTION viewers(conversation bigint) RETURNS SETOF bigint
LANGUAGE sql STABLE AS $$
    SELECT r.user_id
      FROM conversations c JOIN mailbox_readers r ON r.mailbox_id = c.mailbox_id
     WHERE c.id = conversation AND c.joined_into IS NULL
       AND (c.visibility <> 'confidential'
            OR r.user_id IN (SELECT concerned(conversation))
            OR NOT EXISTS (SELECT concerned(conversation)))
$$;

CREATE FUNCTION sees(person bigint, conversation bigint) RETURNS boolean
LANGUAGE sql STABLE AS $$
    SELECT EXISTS (SELECT 1 FROM viewers(conversation) v WHERE v = person)
$$;

CREATE UNIQUE INDEX messages_set_aside_once ON messages_set_aside (folder_id, uid);

-- Contacts: one holder of an address in each realm, the order of the list, the words of a name, recent correspondents.
CREATE UNIQUE INDEX contact_addresses_once ON contact_addresses (address, realm);
CREATE INDEX contact_addresses_prefix ON contact_addresses (address text_pattern_ops);
CREATE INDEX contacts_order ON contacts ((name = ''), fold_accents(lower(name)), id);
CREATE INDEX contacts_words ON contacts USING gin (fold_accents(lower(name || ' ' || company)) gin_trgm_ops);
CREATE INDEX contact_mailboxes_recent ON contact_mailboxes (mailbox_id, last_at DESC);

-- Conversations with one correspondent: those who wrote, and those who were written to.
CREATE INDEX messages_sender ON messages (lower(sender ->> 'address'), date DESC);
CREATE INDEX conversations_addressed ON conversations USING gin (addressed);

-- Search: comments beside mail, and the order in which hits are shown.
ALTER TABLE comments ADD COLUMN search tsvector
    GENERATED ALWAYS AS (to_tsvector('simple', fold_accents(left(text, 100000)))) STORED;
CREATE INDEX comments_search ON comments USING gin (search);
CREATE INDEX conversations_newest ON conversations (last_at DESC, id DESC) WHERE joined_into IS NULL;
