CREATE EXTENSION IF NOT EXISTS unaccent;
CREATE EXTENSION IF NOT EXISTS pg_trgm;

-- One row: what only this instance knows.
CREATE TABLE instances (
  id integer PRIMARY KEY CHECK (id = 1),
  secret text NOT NULL,
  client_id text NOT NULL,
  client_secret text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE actors (
  id serial PRIMARY KEY,
  type text NOT NULL CHECK (type IN ('Person', 'Group', 'Application', 'Service', 'Organization')),
  url text NOT NULL UNIQUE,
  preferred_username text NOT NULL,
  host text,                             -- NULL: of this instance
  public_key text,
  private_key text,
  inbox_url text NOT NULL,
  outbox_url text,
  shared_inbox_url text,
  followers_url text,
  following_url text,
  followers_count integer NOT NULL DEFAULT 0,
  following_count integer NOT NULL DEFAULT 0,
  remote_created_at timestamptz,
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL
);
-- A name belongs to one local actor, whatever its type and case.
CREATE UNIQUE INDEX actors_local_name ON actors (lower(preferred_username)) WHERE host IS NULL;
CREATE UNIQUE INDEX actors_remote_name ON actors (lower(preferred_username), type, lower(host)) WHERE host IS NOT NULL;

-- Names of removed local actors are never given again: other servers remember them.
CREATE TABLE retired_names (
  name text PRIMARY KEY,
  created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE actor_images (
  id serial PRIMARY KEY,
  actor_id integer NOT NULL REFERENCES actors ON DELETE CASCADE,
  kind text NOT NULL CHECK (kind IN ('avatar', 'banner')),
  filename text NOT NULL UNIQUE,
  width integer NOT NULL,
  height integer NOT NULL,
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL
);
CREATE INDEX actor_images_actor ON actor_images (actor_id);

CREATE TABLE users (
  id serial PRIMARY KEY,
  username text NOT NULL,
  email text NOT NULL,
  password_hash text NOT NULL,
  role smallint NOT NULL CHECK (role IN (0, 1, 2)),
  email_verified boolean,
  email_public boolean NOT NULL DEFAULT false,
  blocked boolean NOT NULL DEFAULT false,
  blocked_reason text,
  admin_flags integer NOT NULL DEFAULT 0,
  video_quota bigint NOT NULL DEFAULT -1,
  video_quota_daily bigint NOT NULL DEFAULT -1,
  nsfw_policy text NOT NULL CHECK (nsfw_policy IN ('display', 'blur', 'do_not_list')),
  p2p_enabled boolean NOT NULL DEFAULT true,
  videos_history_enabled boolean NOT NULL DEFAULT true,
  auto_play_video boolean NOT NULL DEFAULT true,
  auto_play_next_video boolean NOT NULL DEFAULT false,
  auto_play_next_video_playlist boolean NOT NULL DEFAULT true,
  video_languages text[],
  language text,
  theme text NOT NULL DEFAULT 'instance-default',
  no_instance_config_warning_modal boolean NOT NULL DEFAULT false,
  no_welcome_modal boolean NOT NULL DEFAULT false,
  no_account_setup_warning_modal boolean NOT NULL DEFAULT false,
  last_login_date timestamptz,
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL
);
CREATE UNIQUE INDEX users_username ON users (lower(username));
CREATE UNIQUE INDEX users_email ON users (lower(email));

CREATE TABLE accounts (
  id serial PRIMARY KEY,
  actor_id integer NOT NULL UNIQUE REFERENCES actors ON DELETE CASCADE,
  user_id integer UNIQUE REFERENCES users ON DELETE CASCADE,
  name text NOT NULL,                    -- display name
  description text,
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL
);

CREATE TABLE channels (
  id serial PRIMARY KEY,
  actor_id integer NOT NULL UNIQUE REFERENCES actors ON DELETE CASCADE,
  account_id integer NOT NULL REFERENCES accounts ON DELETE CASCADE,
  name text NOT NULL,                    -- display name
  description text,
  support text,
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL
);
CREATE INDEX channels_account ON channels (account_id);

CREATE TABLE oauth_tokens (
  id serial PRIMARY KEY,
  access_token_hash text NOT NULL UNIQUE,      -- SHA-256: a stolen database opens no session
  access_token_expires_at timestamptz NOT NULL,
  refresh_token_hash text NOT NULL UNIQUE,
  refresh_token_expires_at timestamptz NOT NULL,
  user_id integer NOT NULL REFERENCES users ON DELETE CASCADE,
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL
);
CREATE INDEX oauth_tokens_user ON oauth_tokens (user_id);
CREATE INDEX oauth_tokens_expiry ON oauth_tokens (refresh_token_expires_at);
