-- Objects of other servers whose state is to be fetched from their origin: an Update or Delete came again under an id that was used before, or
-- says something else than what is stored, or the origin did not answer.
CREATE TABLE object_refreshes (
  url text PRIMARY KEY,
  requested_at timestamptz NOT NULL DEFAULT now(),   -- fulfilled by a fetch that began after this
  withdrawn boolean NOT NULL DEFAULT false,          -- its owner sent a Delete: an origin that does not show it has deleted it
  fetched_at timestamptz,                            -- when the last fetch with an answer began
  fetches integer NOT NULL DEFAULT 0,                -- recent ones; the next waits longer with each
  attempts integer NOT NULL DEFAULT 0,               -- without an answer, in a row
  not_before timestamptz NOT NULL DEFAULT now(),
  error text
);
CREATE INDEX ON object_refreshes (not_before) WHERE fetched_at IS NULL OR requested_at > fetched_at;

-- Tells whether a document with the same time of change says something else than the stored one (views and the like left out).
ALTER TABLE videos ADD COLUMN remote_digest text;
