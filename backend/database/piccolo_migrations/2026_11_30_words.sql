-- The words of messages have a table of their own, so that much mail can be stored first and its words be taken down a
-- few seconds later (backend/mail/words.py).

-- What is indexed of a message: the subject (A), the sender (B), the text.
CREATE FUNCTION message_words(subject text, sender jsonb, body_text text) RETURNS tsvector
LANGUAGE sql IMMUTABLE PARALLEL SAFE COST 1000
RETURN setweight(to_tsvector('simple', fold_accents(left(subject, 1000))), 'A') ||
    setweight(to_tsvector('simple', fold_accents(left(
        coalesce(sender ->> 'name', '') || ' ' || coalesce(sender ->> 'address', '') || ' '
        || translate(coalesce(sender ->> 'address', ''), '@.-_', '    '), 1000))), 'B') ||
    to_tsvector('simple', fold_accents(left(body_text, 100000)));

-- The same text with small letters and no accents: what is not in it is not among the words either.
CREATE FUNCTION message_letters(subject text, sender jsonb, body_text text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE COST 10
RETURN lower(fold_accents(left(subject, 1000) || ' ' || coalesce(sender ->> 'name', '') || ' '
    || coalesce(sender ->> 'address', '') || ' ' || left(body_text, 100000)));

CREATE TABLE message_words (
    message_id bigint PRIMARY KEY REFERENCES messages (id) ON DELETE CASCADE,
    search tsvector NOT NULL
);
ALTER TABLE message_words ALTER COLUMN search SET STORAGE EXTERNAL;

-- Messages whose words are not taken down yet. Emptied all the time; no key to messages, for each row would ask for it.
CREATE TABLE words_waiting (message_id bigint PRIMARY KEY);

-- Whoever stores messages lets their words wait, also the release that serves while this runs.
CREATE FUNCTION let_words_wait() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO words_waiting (message_id) SELECT id FROM stored;
    RETURN NULL;
END $$;
CREATE TRIGGER messages_words_wait AFTER INSERT ON messages
    REFERENCING NEW TABLE AS stored FOR EACH STATEMENT EXECUTE FUNCTION let_words_wait();

-- The column stays, with what it holds, for the release that still serves; nobody writes it any more.
INSERT INTO message_words (message_id, search) SELECT id, search FROM messages WHERE search IS NOT NULL;
-- Its list of new entries (in KB) is emptied by workers, not by whoever stores the mail that happens to fill it.
CREATE INDEX message_words_search ON message_words USING gin (search) WITH (gin_pending_list_limit = 65536);
DROP INDEX messages_search;
ALTER TABLE messages ALTER COLUMN search DROP EXPRESSION;
