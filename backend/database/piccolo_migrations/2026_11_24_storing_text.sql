-- Text and its words are stored as they are, too: compressing them took a seventh of the time that storing a message
-- takes, and gained a tenth of the space that its bytes take.
ALTER TABLE messages ALTER COLUMN search SET STORAGE EXTERNAL;
ALTER TABLE messages ALTER COLUMN body_text SET STORAGE EXTERNAL;
