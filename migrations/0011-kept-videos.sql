-- A remote video that its origin took away while people here had said something about it: kept out of sight, as it may come back.
ALTER TABLE videos ADD COLUMN gone_at timestamptz;
CREATE INDEX videos_gone ON videos (gone_at) WHERE gone_at IS NOT NULL;
-- When the comments of a remote video were read from its origin.
ALTER TABLE videos ADD COLUMN comments_read_at timestamptz;
CREATE INDEX videos_comments_read ON videos (comments_read_at NULLS FIRST) WHERE remote;
