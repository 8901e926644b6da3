-- Messages that may be on their way to another folder: few.
CREATE INDEX messages_unplaced ON messages (mailbox_id) WHERE unplaced_at IS NOT NULL;

-- Bytes of mail are stored as they are: most of a mailbox is base64 and does not get smaller, and trying takes longer
-- than everything else that is done to store a message.
ALTER TABLE raw_messages ALTER COLUMN content SET STORAGE EXTERNAL;

-- The unique index begins with the same columns.
DROP INDEX thread_links_link;
