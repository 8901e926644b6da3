-- The names of a message's attachments, in small letters and without accents, as they are looked for.
CREATE FUNCTION attachment_names(attachments jsonb) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE COST 10
RETURN fold_accents(lower(jsonb_path_query_array(attachments, '$[*].filename')::text));

CREATE INDEX messages_attachment_names ON messages USING gin (attachment_names(attachments) gin_trgm_ops)
    WHERE attachments <> '[]';
