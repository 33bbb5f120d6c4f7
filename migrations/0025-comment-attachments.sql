-- The `summary` of a Note: a warning behind which its text is folded.
ALTER TABLE comments ADD COLUMN note_summary text;

-- What is attached to comments of other servers: links, and pictures that are shown through our cache.
CREATE TABLE comment_attachments (
  comment_id integer NOT NULL REFERENCES comments ON DELETE CASCADE,
  position smallint NOT NULL,
  url text NOT NULL,
  media_type text,
  name text,                             -- alternative text
  filename text UNIQUE,                  -- of a picture in our cache; NULL: only a link
  PRIMARY KEY (comment_id, position)
);
SELECT watch_changes('comment_attachments');
