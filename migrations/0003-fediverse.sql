-- What leaves: an activity is written in the transaction of the act that caused it; its recipients become deliveries after commit.
CREATE TABLE outgoing (
  id bigserial PRIMARY KEY,
  actor text NOT NULL,                   -- URL of the local actor that signs
  type text NOT NULL,
  activity jsonb NOT NULL,
  body text,                             -- the bytes that are sent, with LD signature; NULL until fanned out
  digest text,                           -- base64 SHA-256 of the body
  audience jsonb NOT NULL,               -- { inboxes, followersOf, except }
  lane smallint NOT NULL,                -- 0 now, 1 publish, 2 bulk
  subject text NOT NULL,                 -- URL of the object; per host, deliveries of one subject keep their order
  supersedes text,                       -- a newer activity of the same key replaces those not yet delivered
  forwarded boolean NOT NULL DEFAULT false, -- `body` is somebody else's, sent on unchanged
  fanned_out_at timestamptz,
  not_before timestamptz NOT NULL DEFAULT now(),
  created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX outgoing_waiting ON outgoing (lane, id) WHERE fanned_out_at IS NULL;
CREATE INDEX outgoing_supersedes ON outgoing (supersedes) WHERE supersedes IS NOT NULL;

-- One POST that is still owed; gone when it has arrived.
CREATE TABLE deliveries (
  id bigserial PRIMARY KEY,
  outgoing_id bigint NOT NULL REFERENCES outgoing ON DELETE CASCADE,
  inbox_url text NOT NULL,
  host text NOT NULL,
  lane smallint NOT NULL,
  subject text NOT NULL,
  supersedes text,
  attempts smallint NOT NULL DEFAULT 0,
  not_before timestamptz NOT NULL DEFAULT now(),
  leased_until timestamptz,
  created_at timestamptz NOT NULL DEFAULT now(),
  UNIQUE (outgoing_id, inbox_url)
);
CREATE INDEX deliveries_due ON deliveries (lane, id);
CREATE INDEX deliveries_order ON deliveries (host, subject, outgoing_id);
CREATE INDEX deliveries_supersedes ON deliveries (supersedes, host) WHERE supersedes IS NOT NULL;

-- What other servers are known by.
CREATE TABLE peers (
  host text PRIMARY KEY,
  failures integer NOT NULL DEFAULT 0,   -- in a row
  first_failure_at timestamptz,          -- of that row
  open_until timestamptz,                -- the breaker: nothing is sent before, then one probe
  suspended_at timestamptz,              -- failed for too long: nothing is queued until it speaks again
  last_success_at timestamptz,
  last_failure_at timestamptz,
  last_error text,
  last_received_at timestamptz,
  missed_since timestamptz,              -- activities it will not get from the queue any more; told by a resync
  signature text CHECK (signature IN ('cavage', 'rfc9421')),
  signature_at timestamptz,
  software text,
  created_at timestamptz NOT NULL DEFAULT now()
);

-- What arrives: stored before it is answered, processed in order per subject.
CREATE TABLE incoming (
  id bigserial PRIMARY KEY,
  activity_id text NOT NULL UNIQUE,
  digest text NOT NULL,                  -- base64 SHA-256 of the body
  type text NOT NULL,
  actor text NOT NULL,
  signer text NOT NULL,                  -- URL of the actor whose HTTP signature was on the request
  proof text NOT NULL CHECK (proof IN ('http', 'ld', 'integrity', 'none')), -- what vouches for `actor`
  host text NOT NULL,                    -- of the signer
  subject text NOT NULL,
  lane smallint NOT NULL,                -- 0 everything, 1 views
  body text,                             -- as received; NULL once done
  attempts smallint NOT NULL DEFAULT 0,
  not_before timestamptz NOT NULL DEFAULT now(),
  leased_until timestamptz,
  done_at timestamptz,
  outcome text,
  created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX incoming_due ON incoming (lane, id) WHERE done_at IS NULL;
CREATE INDEX incoming_order ON incoming (subject, id) WHERE done_at IS NULL;
CREATE INDEX incoming_done ON incoming (done_at) WHERE done_at IS NOT NULL;

-- What was deleted stays deleted, whatever old message comes by.
CREATE TABLE tombstones (
  url text PRIMARY KEY,
  created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE follows (
  id serial PRIMARY KEY,
  url text NOT NULL UNIQUE,              -- id of the Follow activity
  actor_id integer NOT NULL REFERENCES actors ON DELETE CASCADE,
  target_id integer NOT NULL REFERENCES actors ON DELETE CASCADE,
  state text NOT NULL CHECK (state IN ('pending', 'accepted', 'rejected')),
  score integer NOT NULL DEFAULT 1000,
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL,
  UNIQUE (actor_id, target_id)
);
CREATE INDEX follows_target ON follows (target_id, id);

-- What this instance refuses: whole hosts, or single accounts. (A user's own mutes have user_id.)
CREATE TABLE blocked_hosts (
  id serial PRIMARY KEY,
  host text NOT NULL,
  user_id integer REFERENCES users ON DELETE CASCADE,
  created_at timestamptz NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX blocked_hosts_once ON blocked_hosts (host, coalesce(user_id, 0));
CREATE TABLE blocked_accounts (
  id serial PRIMARY KEY,
  actor_id integer NOT NULL REFERENCES actors ON DELETE CASCADE,
  user_id integer REFERENCES users ON DELETE CASCADE,
  created_at timestamptz NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX blocked_accounts_once ON blocked_accounts (actor_id, coalesce(user_id, 0));

-- Remote actors: what is fetched, when, and how far we have read.
ALTER TABLE actors ADD COLUMN key_id text;
ALTER TABLE actors ADD COLUMN key_refreshed_at timestamptz;
ALTER TABLE actors ADD COLUMN refreshed_at timestamptz;
ALTER TABLE actors ADD COLUMN outbox_cursor timestamptz;      -- everything published before is known here
ALTER TABLE actors ADD COLUMN outbox_read_at timestamptz;
ALTER TABLE actors ADD COLUMN outbox_total integer;
