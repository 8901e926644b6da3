-- Contacts: one holder of an address in each realm, the order of the list, the words of a name, recent correspondents.
CREATE UNIQUE INDEX contact_addresses_once ON contact_addresses (address, realm);
CREATE INDEX contact_addresses_prefix ON contact_addresses (address text_pattern_ops);
CREATE INDEX contacts_order ON contacts ((name = ''), fold_accents(lower(name)), id);
DROP INDEX contacts_name;
CREATE INDEX contacts_words ON contacts USING gin (fold_accents(lower(name || ' ' || company)) gin_trgm_ops);
CREATE INDEX contact_mailboxes_recent ON contact_mailboxes (mailbox_id, last_at DESC);
UPDATE contacts k SET shared = true WHERE NOT EXISTS (SELECT 1 FROM contact_mailboxes m WHERE m.contact_id = k.id);

-- Conversations with one correspondent: those who wrote, and those who were written to.
CREATE INDEX messages_sender ON messages (lower(sender ->> 'address'), date DESC);
CREATE INDEX conversations_addressed ON conversations USING gin (addressed);

-- Search: comments beside mail, and the order in which hits are shown.
ALTER TABLE comments ADD COLUMN search tsvector
    GENERATED ALWAYS AS (to_tsvector('simple', fold_accents(left(text, 100000)))) STORED;
CREATE INDEX comments_search ON comments USING gin (search);
CREATE INDEX conversations_newest ON conversations (last_at DESC, id DESC) WHERE joined_into IS NULL;
