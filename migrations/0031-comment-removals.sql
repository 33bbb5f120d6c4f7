-- All comments of an account are to be deleted: those below the videos of one account, or all of them. Gone when it is done.
CREATE TABLE comment_removals (
  id serial PRIMARY KEY,
  account_id integer NOT NULL REFERENCES accounts ON DELETE CASCADE,
  video_account_id integer REFERENCES accounts ON DELETE CASCADE, -- NULL: on the whole instance
  last_comment_id integer NOT NULL, -- later comments stay; their dates are the word of their servers
  requested_at timestamptz NOT NULL DEFAULT now()
);
