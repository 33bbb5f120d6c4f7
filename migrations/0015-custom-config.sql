-- What administrators set on the site's pages: values over the files of the configuration, by key, the same for every process.
CREATE TABLE custom_config (
  id integer PRIMARY KEY CHECK (id = 1),
  revision bigint NOT NULL,              -- grows with every change
  settings jsonb NOT NULL
);
INSERT INTO custom_config (id, revision, settings) VALUES (1, 1, '{}');
SELECT watch_changes('custom_config');
