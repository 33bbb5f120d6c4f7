CREATE TABLE videos (
  id serial PRIMARY KEY,
  uuid uuid NOT NULL UNIQUE,
  url text NOT NULL UNIQUE,
  remote boolean NOT NULL DEFAULT false,
  channel_id integer NOT NULL REFERENCES channels ON DELETE CASCADE,
  name text NOT NULL,
  description text,
  support text,
  category smallint,
  licence smallint,
  language text,
  tags text[] NOT NULL DEFAULT '{}',
  nsfw boolean NOT NULL DEFAULT false,
  privacy smallint NOT NULL CHECK (privacy BETWEEN 1 AND 5),
  state smallint NOT NULL CHECK (state BETWEEN 1 AND 12),
  wait_transcoding boolean NOT NULL DEFAULT false,
  comments_policy smallint NOT NULL CHECK (comments_policy BETWEEN 1 AND 3),
  download_enabled boolean NOT NULL DEFAULT true,
  duration double precision NOT NULL DEFAULT 0,   -- seconds
  aspect_ratio real,
  views bigint NOT NULL DEFAULT 0,
  likes integer NOT NULL DEFAULT 0,
  dislikes integer NOT NULL DEFAULT 0,
  comments integer NOT NULL DEFAULT 0,
  published_at timestamptz NOT NULL,
  originally_published_at timestamptz,
  input_file_updated_at timestamptz,
  schedule_at timestamptz,
  schedule_privacy smallint CHECK (schedule_privacy IN (1, 2, 4)),
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL,
  CHECK ((schedule_at IS NULL) = (schedule_privacy IS NULL))
);
CREATE INDEX videos_channel ON videos (channel_id, published_at DESC, id DESC);
-- What everybody may see in lists: published and public.
CREATE INDEX videos_listed_published ON videos (published_at DESC, id DESC) WHERE privacy = 1 AND state = 1;
CREATE INDEX videos_listed_views ON videos (views DESC, id DESC) WHERE privacy = 1 AND state = 1;
CREATE INDEX videos_listed_likes ON videos (likes DESC, id DESC) WHERE privacy = 1 AND state = 1;
CREATE INDEX videos_tags ON videos USING gin (tags);
CREATE INDEX videos_schedule ON videos (schedule_at) WHERE schedule_at IS NOT NULL;

CREATE TABLE video_passwords (
  id serial PRIMARY KEY,
  video_id integer NOT NULL REFERENCES videos ON DELETE CASCADE,
  password text NOT NULL,                -- shown to the owner, as PeerTube's API does
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL,
  UNIQUE (video_id, password)
);

-- The uploaded file. `filename` is NULL once it was thrown away after transcoding.
CREATE TABLE video_sources (
  video_id integer PRIMARY KEY REFERENCES videos ON DELETE CASCADE,
  input_filename text NOT NULL,
  filename text UNIQUE,
  size bigint NOT NULL,
  width integer,
  height integer,
  fps real,
  resolution integer,
  metadata jsonb,
  probe jsonb,
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL
);

CREATE TABLE streaming_playlists (
  id serial PRIMARY KEY,
  video_id integer NOT NULL UNIQUE REFERENCES videos ON DELETE CASCADE,
  playlist_filename text NOT NULL,
  segments_sha256_filename text,
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL
);

-- A rendition. While `growing` its playlist has no end yet.
CREATE TABLE video_files (
  id serial PRIMARY KEY,
  streaming_playlist_id integer NOT NULL REFERENCES streaming_playlists ON DELETE CASCADE,
  resolution integer NOT NULL,           -- short side; 0 is audio
  width integer,
  height integer,
  fps real NOT NULL,
  size bigint NOT NULL DEFAULT 0,
  filename text NOT NULL UNIQUE,
  playlist_filename text NOT NULL UNIQUE,
  has_audio boolean NOT NULL,
  has_video boolean NOT NULL,
  bandwidth bigint NOT NULL DEFAULT 0,
  average_bandwidth bigint NOT NULL DEFAULT 0,
  codecs text NOT NULL DEFAULT '',
  growing boolean NOT NULL DEFAULT false,
  metadata jsonb,
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL,
  UNIQUE (streaming_playlist_id, resolution)
);

CREATE TABLE thumbnails (
  id serial PRIMARY KEY,
  video_id integer NOT NULL REFERENCES videos ON DELETE CASCADE,
  kind text NOT NULL CHECK (kind IN ('thumbnail', 'preview')),
  filename text NOT NULL UNIQUE,
  width integer NOT NULL,
  height integer NOT NULL,
  automatic boolean NOT NULL,            -- a frame of the video, not an uploaded picture
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL,
  UNIQUE (video_id, kind)
);

CREATE TABLE storyboards (
  video_id integer PRIMARY KEY REFERENCES videos ON DELETE CASCADE,
  filename text NOT NULL UNIQUE,
  total_width integer NOT NULL,
  total_height integer NOT NULL,
  sprite_width integer NOT NULL,
  sprite_height integer NOT NULL,
  sprite_duration real NOT NULL,         -- seconds
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL
);

-- The work a video still needs (law 1: jobs are derived from this row, not from Redis).
CREATE TABLE transcodings (
  video_id integer PRIMARY KEY REFERENCES videos ON DELETE CASCADE,
  state text NOT NULL CHECK (state IN ('waiting', 'running', 'done', 'failed')),
  attempts smallint NOT NULL DEFAULT 0,  -- failed ones
  not_before timestamptz NOT NULL,
  resolutions integer[] NOT NULL DEFAULT '{}',   -- the renditions it will have; 0 is audio
  error text,
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL
);
CREATE INDEX transcodings_open ON transcodings (not_before) WHERE state IN ('waiting', 'running');

-- Resumable uploads; their bytes lie in storage.uploads until `video_id` says what became of them.
CREATE TABLE uploads (
  id text PRIMARY KEY,
  user_id integer NOT NULL REFERENCES users ON DELETE CASCADE,
  video_id integer REFERENCES videos ON DELETE CASCADE,
  filename text NOT NULL,                -- below storage.uploads
  original_name text NOT NULL,
  size bigint NOT NULL,
  attributes jsonb NOT NULL,             -- the video's metadata, as the request gave it
  expires_at timestamptz NOT NULL,
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL
);
CREATE INDEX uploads_user ON uploads (user_id);
CREATE INDEX uploads_expiry ON uploads (expires_at);
