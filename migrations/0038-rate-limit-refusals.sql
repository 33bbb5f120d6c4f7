-- Requests that limits refused, by hour, for the health page of every process. `address` is an IP address or network, anonymized where
-- log.anonymize_ip says so, or the name of a server; empty for those beyond the number of addresses that are kept apart.
CREATE TABLE rate_limit_refusals (
  hour timestamptz NOT NULL,
  limiter text NOT NULL,
  address text NOT NULL,
  refusals integer NOT NULL,
  last_at timestamptz NOT NULL,
  PRIMARY KEY (hour, limiter, address)
);
