-- Who was counted when: a viewer counts again only after a while, whatever Redis forgets.
CREATE TABLE view_marks (
  video_id integer NOT NULL,
  viewer uuid NOT NULL,                  -- fingerprint of a person with this video, or of a received View's id
  counted_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (video_id, viewer)
);
CREATE INDEX view_marks_age ON view_marks (counted_at);

-- How many views of a video each server has reported since when.
CREATE TABLE view_hosts (
  video_id integer NOT NULL,
  host text NOT NULL,
  views bigint NOT NULL,
  since timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (video_id, host)
);
CREATE INDEX view_hosts_age ON view_hosts (since);

-- Sessions of watching that are over (WatchAction): of our videos, here and elsewhere.
CREATE TABLE watches (
  id bigserial PRIMARY KEY,
  uuid uuid NOT NULL UNIQUE,
  url text NOT NULL UNIQUE,
  video_id integer NOT NULL REFERENCES videos ON DELETE CASCADE,
  started_at timestamptz NOT NULL,
  ended_at timestamptz NOT NULL,
  duration integer NOT NULL,             -- seconds watched
  sections jsonb NOT NULL,               -- [{ start, end }] in seconds of the video
  country text,
  region text,
  created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX watches_video ON watches (video_id, id);

-- What is worth nothing later is not sent later.
ALTER TABLE outgoing ADD COLUMN expires_at timestamptz;
ALTER TABLE deliveries ADD COLUMN expires_at timestamptz;
