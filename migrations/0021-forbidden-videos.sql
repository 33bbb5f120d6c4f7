ALTER TABLE videos
  ADD COLUMN refresh_attempts integer NOT NULL DEFAULT 0,  -- fetches of the document without it, in a row
  ADD COLUMN refresh_not_before timestamptz,               -- NULL: as soon as it is old
  ADD COLUMN forbidden_since timestamptz,                  -- its origin refuses to show it (401, 403) since
  ADD COLUMN forbidden_privacy smallint;                   -- the privacy it had when it was hidden for that; NULL: not hidden
CREATE INDEX ON videos (forbidden_since) WHERE forbidden_since IS NOT NULL;
