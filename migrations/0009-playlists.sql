CREATE TABLE playlists (
  id serial PRIMARY KEY,
  uuid uuid NOT NULL,
  url text NOT NULL UNIQUE,
  remote boolean NOT NULL DEFAULT false,
  account_id integer NOT NULL REFERENCES accounts ON DELETE CASCADE,
  channel_id integer REFERENCES channels ON DELETE SET NULL,
  name text NOT NULL,
  description text,
  privacy smallint NOT NULL CHECK (privacy BETWEEN 1 AND 3),
  federated boolean NOT NULL DEFAULT false, -- other servers know of it
  elements_due timestamptz,                 -- since when the elements of a remote one are to be read
  refreshed_at timestamptz,                 -- when the origin of a remote one was asked
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX playlists_local_uuid ON playlists (uuid) WHERE NOT remote;
CREATE INDEX playlists_uuid ON playlists (uuid);
CREATE INDEX playlists_account ON playlists (account_id, id);
CREATE INDEX playlists_channel ON playlists (channel_id, id);
CREATE INDEX playlists_due ON playlists (elements_due) WHERE elements_due IS NOT NULL;

CREATE TABLE playlist_elements (
  id serial PRIMARY KEY,
  url text NOT NULL UNIQUE,
  playlist_id integer NOT NULL REFERENCES playlists ON DELETE CASCADE,
  video_id integer REFERENCES videos ON DELETE SET NULL,
  position integer NOT NULL,
  start_timestamp integer,
  stop_timestamp integer
);
CREATE INDEX playlist_elements_playlist ON playlist_elements (playlist_id, position);
CREATE INDEX playlist_elements_video ON playlist_elements (video_id);

-- Where a remote actor lists its playlists.
ALTER TABLE actors ADD COLUMN playlists_url text;

-- Playlists have pictures too.
ALTER TABLE thumbnails ALTER COLUMN video_id DROP NOT NULL;
ALTER TABLE thumbnails ADD COLUMN playlist_id integer UNIQUE REFERENCES playlists ON DELETE CASCADE;
ALTER TABLE thumbnails ADD CHECK ((video_id IS NULL) <> (playlist_id IS NULL));
