-- What search looks up beside the words of messages (backend/search/).

-- Chinese and Japanese are written without blanks: each sign is a word of its own. For text that is folded already, of
-- which most has one byte a letter.
CREATE FUNCTION apart(value text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE STRICT COST 10
RETURN CASE WHEN octet_length(value) = length(value) THEN value
    ELSE regexp_replace(value, '([\u3041-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff])', ' \1 ', 'g') END;

CREATE OR REPLACE FUNCTION message_words(subject text, sender jsonb, body_text text) RETURNS tsvector
LANGUAGE sql IMMUTABLE PARALLEL SAFE COST 1000
RETURN setweight(to_tsvector('simple', apart(fold_accents(left(subject, 1000)))), 'A') ||
    setweight(to_tsvector('simple', apart(fold_accents(left(
        coalesce(sender ->> 'name', '') || ' ' || coalesce(sender ->> 'address', '') || ' '
        || translate(coalesce(sender ->> 'address', ''), '@.-_', '    '), 1000)))), 'B') ||
    to_tsvector('simple', apart(fold_accents(left(body_text, 100000))));

-- To whom mail of a conversation went, found by any part of an address.
CREATE FUNCTION addressed_letters(addressed text[]) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE STRICT
RETURN array_to_string(addressed, ' ');
CREATE INDEX conversations_addressed_letters ON conversations USING gin (addressed_letters(addressed) gin_trgm_ops);

CREATE INDEX raw_messages_size ON raw_messages (size);
CREATE INDEX conversation_people_mentioned ON conversation_people (user_id, conversation_id)
    WHERE reason = 'mentioned';

-- The names of attachments (C) and the text that could be read in them (D). `problem` says why there is none.
CREATE TABLE attachment_texts (
    message_id bigint NOT NULL REFERENCES messages (id) ON DELETE CASCADE,
    position integer NOT NULL,
    filename text NOT NULL,
    text text NOT NULL DEFAULT '',
    problem text NOT NULL DEFAULT '',
    search tsvector NOT NULL,
    PRIMARY KEY (message_id, position)
);
CREATE INDEX attachment_texts_search ON attachment_texts USING gin (search);

-- Messages whose attachments are not read yet: all that there are, and those that come (as with words_waiting).
CREATE TABLE files_waiting (
    message_id bigint PRIMARY KEY,
    tries integer NOT NULL DEFAULT 0,
    not_before timestamptz NOT NULL DEFAULT '-infinity'
);
CREATE OR REPLACE FUNCTION let_words_wait() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO words_waiting (message_id) SELECT id FROM stored;
    INSERT INTO files_waiting (message_id) SELECT id FROM stored WHERE attachments <> '[]';
    RETURN NULL;
END $$;
INSERT INTO files_waiting (message_id) SELECT id FROM messages WHERE attachments <> '[]';

-- Every word that mail holds, for offering the one that was meant. Not scoped: who asks is only offered what they find.
CREATE TABLE known_words (word text PRIMARY KEY);
CREATE INDEX known_words_letters ON known_words USING gin (word gin_trgm_ops);

-- Up to which message the words of old mail were learnt, counted down; nothing is left where there is no row.
CREATE TABLE words_to_learn (below bigint NOT NULL);
INSERT INTO words_to_learn SELECT max(message_id) + 1 FROM message_words HAVING max(message_id) IS NOT NULL;
