-- One share for each person or team, and the paths to what was moved, and what was split.
CREATE UNIQUE INDEX conversation_shares_user ON conversation_shares (conversation_id, user_id)
    WHERE user_id IS NOT NULL;
CREATE UNIQUE INDEX conversation_shares_team ON conversation_shares (conversation_id, team_id)
    WHERE team_id IS NOT NULL;
CREATE UNIQUE INDEX conversation_splits_once ON conversation_splits (conversation_id, split_id);
-- Partial: most conversations were never moved, and their writes then cost nothing here.
CREATE INDEX conversations_moved ON conversations USING gin (moved_from) WHERE moved_from <> '{}';
CREATE INDEX messages_moved ON messages (moved_from, message_id) WHERE moved_from IS NOT NULL;

-- With whom each conversation is shared. Whether they see it depends on its visibility.
CREATE VIEW shared_conversations AS
    SELECT s.conversation_id, s.user_id
      FROM conversation_shares s JOIN users u ON u.id = s.user_id
     WHERE u.active
    UNION
    SELECT s.conversation_id, t.user_id
      FROM conversation_shares s JOIN team_members t ON t.team_id = s.team_id JOIN users u ON u.id = t.user_id
     WHERE u.active;

-- Who sees a conversation without being able to open its mailbox: whom it is shared with, while it is open to the
-- mailbox.
CREATE FUNCTION guests(conversation bigint) RETURNS SETOF bigint
LANGUAGE sql STABLE AS $$
    SELECT s.user_id
      FROM conversations c JOIN shared_conversations s ON s.conversation_id = c.id
     WHERE c.id = conversation AND c.joined_into IS NULL AND c.visibility = 'open'
       AND NOT EXISTS (SELECT 1 FROM mailbox_readers r WHERE r.mailbox_id = c.mailbox_id AND r.user_id = s.user_id)
$$;

-- Who sees a conversation: those concerned if it is confidential (everybody, if that were nobody), else the mailbox;
-- and its guests.
CREATE OR REPLACE FUNCTION viewers(conversation bigint) RETURNS SETOF bigint
LANGUAGE sql STABLE AS $$
    SELECT r.user_id
      FROM conversations c JOIN mailbox_readers r ON r.mailbox_id = c.mailbox_id
     WHERE c.id = conversation AND c.joined_into IS NULL
       AND (c.visibility <> 'confidential'
            OR r.user_id IN (SELECT concerned(conversation))
            OR NOT EXISTS (SELECT concerned(conversation)))
    UNION ALL
    SELECT guests(conversation)
$$;

-- Whoever has lost a mailbox keeps no line of theirs up to which its mail counts as read.
DELETE FROM watermarks w
 WHERE NOT EXISTS (SELECT 1 FROM mailbox_readers r WHERE r.mailbox_id = w.mailbox_id AND r.user_id = w.user_id);
