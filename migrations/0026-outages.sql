-- When this instance last accepted activities, and the last time it did not: what other servers changed meanwhile did not arrive, and is
-- read from them again. One row.
CREATE TABLE uptime (
  only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
  seen_at timestamptz NOT NULL,
  missed_from timestamptz,
  missed_until timestamptz
);
-- When the replies below a remote comment, and what a remote account wrote, were last read from its server.
ALTER TABLE comments ADD COLUMN replies_read_at timestamptz;
ALTER TABLE actors ADD COLUMN notes_read_at timestamptz;
CREATE INDEX comments_remote_created ON comments (created_at) WHERE remote AND deleted_at IS NULL;
