-- Received activities that had no effect, the newest of each host, for administrators.
CREATE TABLE ineffective_activities (
  id bigserial PRIMARY KEY,
  activity_key text NOT NULL,            -- as `incoming.activity_id`
  digest text NOT NULL,
  type text NOT NULL,
  actor text NOT NULL,
  signer text NOT NULL,
  proof text NOT NULL,
  host text NOT NULL,                    -- of the signer
  subject text NOT NULL,
  body text,                             -- as received, to process it again; NULL where it is large or old
  reason text NOT NULL,
  received_at timestamptz NOT NULL,
  processed_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX ON ineffective_activities (host, id);
