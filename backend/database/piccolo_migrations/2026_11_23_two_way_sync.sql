-- Paths and uniqueness of two-way sync.
CREATE INDEX messages_email_id ON messages (mailbox_id, email_id) WHERE email_id <> '';
CREATE INDEX messages_stored ON messages (mailbox_id, date DESC);
CREATE UNIQUE INDEX server_intents_open ON server_intents (message_id, kind) WHERE confirmed_at IS NULL;
CREATE UNIQUE INDEX blocked_senders_once ON blocked_senders (mailbox_id, address);
CREATE UNIQUE INDEX mailboxes_one_intake ON mailboxes (kind) WHERE kind = 'intake';
CREATE INDEX folders_object_id ON folders (account_id, object_id) WHERE object_id <> '';
CREATE INDEX messages_set_aside_due ON messages_set_aside (next_try_at);
