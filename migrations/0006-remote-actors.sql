-- Pictures of remote actors: where they come from; fetched when somebody looks.
ALTER TABLE actors ADD COLUMN avatar_url text;
ALTER TABLE actors ADD COLUMN banner_url text;
CREATE INDEX actors_key ON actors (key_id) WHERE key_id IS NOT NULL;
CREATE INDEX actors_refreshed ON actors (refreshed_at) WHERE host IS NOT NULL;

-- Keys of actors that are gone: their farewell is still to be signed.
CREATE TABLE retired_keys (
  url text PRIMARY KEY,
  private_key text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now()
);

-- Follows that were asked for and whose target could not be found yet.
CREATE TABLE wanted_follows (
  id serial PRIMARY KEY,
  actor_id integer NOT NULL REFERENCES actors ON DELETE CASCADE,
  handle text NOT NULL,
  attempts integer NOT NULL DEFAULT 0,
  not_before timestamptz NOT NULL DEFAULT now(),
  error text,
  created_at timestamptz NOT NULL DEFAULT now(),
  UNIQUE (actor_id, handle)
);
