-- Posts of other servers that may quote a video of this one (FEP-044f): other servers ask for the authorization by its id.
CREATE TABLE quote_authorizations (
  id serial PRIMARY KEY,
  video_id integer NOT NULL REFERENCES videos ON DELETE CASCADE,
  quote_url text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  UNIQUE (video_id, quote_url)
);
SELECT watch_changes('quote_authorizations');
