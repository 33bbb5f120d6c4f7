CREATE TABLE reactions (
  id serial PRIMARY KEY,
  url text NOT NULL UNIQUE,              -- id of the Like or Dislike
  video_id integer NOT NULL REFERENCES videos ON DELETE CASCADE,
  account_id integer NOT NULL REFERENCES accounts ON DELETE CASCADE,
  type text NOT NULL CHECK (type IN ('like', 'dislike')),
  created_at timestamptz NOT NULL DEFAULT now(),
  UNIQUE (video_id, account_id)
);
CREATE INDEX reactions_account ON reactions (account_id, id);

CREATE TABLE comments (
  id serial PRIMARY KEY,
  url text NOT NULL UNIQUE,
  video_id integer NOT NULL REFERENCES videos ON DELETE CASCADE,
  account_id integer REFERENCES accounts ON DELETE SET NULL,
  parent_id integer REFERENCES comments ON DELETE CASCADE,
  thread_id integer REFERENCES comments ON DELETE CASCADE, -- the first comment of the thread; NULL: this one
  text text NOT NULL,                    -- Markdown of local people, sanitised HTML of others
  remote boolean NOT NULL DEFAULT false,
  held boolean NOT NULL DEFAULT false,   -- until the video's owner approves it
  reply_approval text,                   -- address of the approval (FEP-5624)
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL,
  deleted_at timestamptz
);
CREATE INDEX comments_video ON comments (video_id, id);
CREATE INDEX comments_thread ON comments (thread_id, id);
CREATE INDEX comments_account ON comments (account_id, id);
