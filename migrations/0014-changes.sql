-- How often this database was changed, counted by the backends that did it, each in a row of its own; their sum grows with every commit that
-- changes what somebody may see, and with nothing else. Answers are kept as long as it stays the same (server/core/fresh). Row 0: backends of before.
CREATE TABLE changes (
  backend integer PRIMARY KEY,           -- pg_backend_pid()
  count bigint NOT NULL
) WITH (fillfactor = 10);
INSERT INTO changes (backend, count) VALUES (0, 0);

-- Counts a transaction once, whatever it does.
CREATE FUNCTION count_change() RETURNS trigger LANGUAGE plpgsql AS '
BEGIN
  IF current_setting(''bobine.counted'', true) IS DISTINCT FROM pg_current_xact_id()::text THEN
    INSERT INTO changes AS mine (backend, count) VALUES (pg_backend_pid(), 1) ON CONFLICT (backend) DO UPDATE SET count = mine.count + 1;
    PERFORM set_config(''bobine.counted'', pg_current_xact_id()::text, true);
  END IF;
  RETURN NULL;
END ';

-- Every table whose rows an answer may show; a migration that makes another one watches it, too.
CREATE FUNCTION watch_changes(watched regclass) RETURNS void LANGUAGE plpgsql AS '
BEGIN
  EXECUTE format(''CREATE TRIGGER changes AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON %s FOR EACH STATEMENT EXECUTE FUNCTION count_change()'', watched);
END ';

-- All of them but the books of deliveries and arrivals, and who is logged in.
SELECT watch_changes(oid) FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'
  AND relname NOT IN ('changes', 'migrations', 'outgoing', 'deliveries', 'peers', 'incoming', 'tombstones', 'oauth_tokens');
