-- What people report to the moderators: videos, comments, accounts; one row for each thing reported.
CREATE TABLE abuses (
  id serial PRIMARY KEY,
  url text NOT NULL,                     -- id of the Flag
  kind text NOT NULL CHECK (kind IN ('video', 'comment', 'account')),
  reason text NOT NULL,                  -- '' where another server gave none
  predefined_reasons text[] NOT NULL DEFAULT '{}',
  state smallint NOT NULL DEFAULT 1 CHECK (state IN (1, 2, 3)), -- 1 pending, 2 rejected, 3 accepted
  moderation_comment text,
  reporter_id integer REFERENCES accounts ON DELETE SET NULL,
  reporter_host text,                    -- NULL: somebody here
  flagged_id integer REFERENCES accounts ON DELETE SET NULL, -- whose it is
  video_id integer REFERENCES videos ON DELETE SET NULL,
  comment_id integer REFERENCES comments ON DELETE SET NULL,
  object_url text NOT NULL,
  deleted_video jsonb,                   -- what is said of the video when it is gone: { uuid, name, nsfw }
  start_at integer,
  end_at integer,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  UNIQUE (url, object_url)
);
CREATE INDEX abuses_state ON abuses (state, id);
CREATE INDEX abuses_reporter ON abuses (reporter_id, id);
CREATE INDEX abuses_flagged ON abuses (flagged_id, id);
CREATE INDEX abuses_video ON abuses (video_id, id);
CREATE INDEX abuses_comment ON abuses (comment_id, id);
CREATE INDEX abuses_host ON abuses (reporter_host) WHERE state = 1;

-- What moderators and whoever reported say to each other.
CREATE TABLE abuse_messages (
  id serial PRIMARY KEY,
  abuse_id integer NOT NULL REFERENCES abuses ON DELETE CASCADE,
  account_id integer REFERENCES accounts ON DELETE SET NULL,
  by_moderator boolean NOT NULL,
  message text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX abuse_messages_abuse ON abuse_messages (abuse_id, id);
