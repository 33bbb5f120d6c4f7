-- Received activities that were processed and are deleted from `incoming` since, for the statistics.
CREATE TABLE processed_activities (
  type text PRIMARY KEY,
  effective bigint NOT NULL DEFAULT 0,
  ineffective bigint NOT NULL DEFAULT 0
);

-- The Markdown of a remote comment as its origin sent it; `text` is rendered from it. NULL where the origin sent HTML.
ALTER TABLE comments ADD COLUMN source text;

-- What is said of a reported video when it is gone is what it was last: { id, uuid, name, nsfw, channel }.
CREATE FUNCTION keep_reported_video() RETURNS trigger LANGUAGE plpgsql AS '
BEGIN
  UPDATE abuses SET deleted_video = coalesce(deleted_video, ''{}'') ||
      jsonb_build_object(''id'', OLD.id, ''uuid'', OLD.uuid, ''name'', OLD.name, ''nsfw'', OLD.nsfw)
    WHERE video_id = OLD.id AND kind = ''video'';
  RETURN OLD;
END';
CREATE TRIGGER keep_reported_video BEFORE DELETE ON videos FOR EACH ROW EXECUTE FUNCTION keep_reported_video();
