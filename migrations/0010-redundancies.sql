-- Copies of videos that an instance offers to viewers (CacheFile): of ours by others, of others' by whom their origin vouches for.
CREATE TABLE redundancies (
  id serial PRIMARY KEY,
  url text NOT NULL UNIQUE,
  video_id integer NOT NULL REFERENCES videos ON DELETE CASCADE,
  actor_id integer NOT NULL REFERENCES actors ON DELETE CASCADE, -- the instance that holds the copy
  base_url text NOT NULL,                -- folder of the HLS files
  expires_at timestamptz,                -- NULL: until it is taken back
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  UNIQUE (video_id, actor_id)
);
CREATE INDEX redundancies_actor ON redundancies (actor_id);
