-- No name that `deliveries` has too: the version before joins both tables.
ALTER TABLE outgoing
  ADD COLUMN sign_attempts smallint NOT NULL DEFAULT 0,
  ADD COLUMN sign_error text,
  ADD COLUMN set_aside_at timestamptz;              -- given up: it cannot be signed
CREATE INDEX ON outgoing (set_aside_at) WHERE set_aside_at IS NOT NULL;
