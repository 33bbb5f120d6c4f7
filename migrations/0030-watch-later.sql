-- Every user has one playlist of type 2, "Watch later". A trigger makes it, so that it is there as well for users whom the version before
-- creates while both run.
ALTER TABLE playlists ADD COLUMN type smallint NOT NULL DEFAULT 1 CHECK (type IN (1, 2));
ALTER TABLE playlists ADD CHECK (type = 1 OR (privacy = 3 AND NOT remote));
CREATE UNIQUE INDEX playlists_watch_later ON playlists (account_id) WHERE type = 2;

CREATE FUNCTION create_watch_later(account integer) RETURNS void LANGUAGE sql AS '
  INSERT INTO playlists (uuid, url, account_id, name, privacy, type)
  SELECT made.id, regexp_replace(actor.url, ''/accounts/[^/]+$'', ''/video-playlists/'') || made.id, owner.id, ''Watch later'', 3, 2
    FROM accounts owner JOIN actors actor ON actor.id = owner.actor_id, gen_random_uuid() AS made (id) WHERE owner.id = account
  ON CONFLICT DO NOTHING';

CREATE FUNCTION create_watch_later_of_user() RETURNS trigger LANGUAGE plpgsql AS '
BEGIN
  PERFORM create_watch_later(NEW.id);
  RETURN NULL;
END ';
CREATE TRIGGER watch_later AFTER INSERT ON accounts FOR EACH ROW WHEN (NEW.user_id IS NOT NULL) EXECUTE FUNCTION create_watch_later_of_user();

SELECT create_watch_later(id) FROM accounts WHERE user_id IS NOT NULL ORDER BY id;
