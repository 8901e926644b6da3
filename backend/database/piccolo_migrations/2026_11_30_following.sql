-- What is unread of a conversation: looked for with each notification, to be folded into it.
CREATE INDEX notifications_unread ON notifications (conversation_id, user_id) WHERE read_at IS NULL;

-- Whoever is at work on an open conversation follows it, as they would had they begun after this release.
UPDATE conversations c SET follower_ids = found.ids FROM (
    SELECT at_work.id, array_agg(DISTINCT at_work.user_id ORDER BY at_work.user_id) AS ids FROM (
        SELECT id, assignee_id AS user_id FROM conversations WHERE assignee_id IS NOT NULL
        UNION ALL SELECT conversation_id, author_id FROM comments
        UNION ALL SELECT conversation_id, author_id FROM messages WHERE author_id IS NOT NULL
        UNION ALL SELECT conversation_id, user_id FROM conversation_people WHERE reason = 'mentioned'
    ) at_work JOIN conversations o ON o.id = at_work.id AND o.status = 'open' AND o.joined_into IS NULL
    GROUP BY at_work.id) found
WHERE c.id = found.id;
