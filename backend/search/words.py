"""Conversations in whose messages, comments or attachments words stand, as SQL. Search and views stand on it.

Words that few messages hold are looked up in the index (`in_messages`, `in_comments`, `in_files`); for those that many
hold the conversations are walked (`walked`). Messages whose words are not taken down yet are read themselves (`WORDS`).
"""

SHOWN = "m.gone_at IS NULL AND NOT m.hidden"
WORDS = "message_words(m.subject, m.sender, m.body_text)"


def in_messages(query: str, scope: str = "true") -> str:
    """A SELECT of conversations by the index; `scope` may narrow the messages `m`."""
    return (
        "SELECT m.conversation_id FROM message_words d JOIN messages m ON m.id = d.message_id "
        f"WHERE d.search @@ {query} AND {SHOWN} AND {scope}"
    )


def in_comments(query: str) -> str:
    return f"SELECT k.conversation_id FROM comments k WHERE k.search @@ {query}"


def in_files(query: str, scope: str = "true") -> str:
    """The same by the names and the text of attachments."""
    return (
        "SELECT m.conversation_id FROM attachment_texts f JOIN messages m ON m.id = f.message_id "
        f"WHERE f.search @@ {query} AND {SHOWN} AND {scope}"
    )


def walked(query: str, waiting_fits: str) -> str:
    """A condition on `c`. `waiting_fits` is that on a message `m` whose words are not taken down yet.

    OFFSET 0 keeps the planner from looking up every hit.
    """
    return f"""
        (EXISTS (SELECT 1 FROM messages m LEFT JOIN message_words d ON d.message_id = m.id
                  WHERE m.conversation_id = c.id AND {SHOWN}
                    AND CASE WHEN d.message_id IS NULL THEN {waiting_fits} ELSE d.search @@ {query} END OFFSET 0)
         OR (c.comment_count > 0 AND EXISTS (
             SELECT 1 FROM comments k WHERE k.conversation_id = c.id AND k.search @@ {query} OFFSET 0))
         OR (c.has_attachments AND EXISTS (
             SELECT 1 FROM messages m JOIN attachment_texts f ON f.message_id = m.id
              WHERE m.conversation_id = c.id AND {SHOWN} AND f.search @@ {query} OFFSET 0)))
    """
