-- Videos of other servers: what their origin says of them, where their files are, and who shared which video.
ALTER TABLE videos ADD COLUMN nsfw_summary text;
ALTER TABLE videos ADD COLUMN remote_updated_at timestamptz;  -- the origin's `updated`: an older message changes nothing
ALTER TABLE videos ADD COLUMN refreshed_at timestamptz;       -- when the origin was last asked
ALTER TABLE videos ADD COLUMN collections jsonb;              -- addresses of a remote video's likes, dislikes, shares, comments, chapters
ALTER TABLE videos ADD COLUMN is_live boolean NOT NULL DEFAULT false;
ALTER TABLE videos ADD COLUMN tracker_urls text[] NOT NULL DEFAULT '{}';
-- Where the reading of a remote outbox stopped, to go on from there.
ALTER TABLE actors ADD COLUMN outbox_next text;
-- Whether followers know it: set in the transaction that tells them, so that each change says the right thing.
ALTER TABLE videos ADD COLUMN federated boolean NOT NULL DEFAULT false;
ALTER TABLE videos ADD COLUMN publications integer NOT NULL DEFAULT 0; -- how often followers were told of it as new
CREATE INDEX videos_refreshed ON videos (refreshed_at) WHERE remote;

-- The HLS playlist of a remote video, at its origin.
CREATE TABLE remote_playlists (
  id serial PRIMARY KEY,
  video_id integer NOT NULL UNIQUE REFERENCES videos ON DELETE CASCADE,
  url text NOT NULL,
  segments_sha256_url text,
  infohashes text[] NOT NULL DEFAULT '{}'
);

-- The files of a remote video, at its origin: of its playlist, or by themselves.
CREATE TABLE remote_files (
  id serial PRIMARY KEY,
  video_id integer NOT NULL REFERENCES videos ON DELETE CASCADE,
  hls boolean NOT NULL,
  resolution integer NOT NULL,
  width integer,
  height integer,
  fps real NOT NULL,
  size bigint NOT NULL,
  url text NOT NULL,
  metadata_url text,
  torrent_url text,
  magnet_uri text,
  has_audio boolean NOT NULL,
  has_video boolean NOT NULL
);
CREATE INDEX remote_files_video ON remote_files (video_id);

CREATE TABLE video_captions (
  id serial PRIMARY KEY,
  video_id integer NOT NULL REFERENCES videos ON DELETE CASCADE,
  language text NOT NULL,
  automatic boolean NOT NULL DEFAULT false,
  filename text NOT NULL UNIQUE,
  url text,                              -- where its origin has it; NULL: ours
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  UNIQUE (video_id, language)
);

CREATE TABLE video_chapters (
  video_id integer NOT NULL REFERENCES videos ON DELETE CASCADE,
  timecode integer NOT NULL,             -- seconds
  title text NOT NULL,
  PRIMARY KEY (video_id, timecode)
);

-- Pictures of remote videos are fetched when somebody looks at them.
ALTER TABLE thumbnails ADD COLUMN url text;
ALTER TABLE storyboards ADD COLUMN url text;

-- Who announced a video: its channel, its instance, other servers' instances and people.
CREATE TABLE video_shares (
  id serial PRIMARY KEY,
  url text NOT NULL UNIQUE,              -- id of the Announce
  video_id integer NOT NULL REFERENCES videos ON DELETE CASCADE,
  actor_id integer NOT NULL REFERENCES actors ON DELETE CASCADE,
  created_at timestamptz NOT NULL DEFAULT now(),
  UNIQUE (video_id, actor_id)
);
CREATE INDEX video_shares_actor ON video_shares (actor_id, id);
