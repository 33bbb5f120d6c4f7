-- Deleting a row looks for the rows that name it: without an index in the whole table, and that for each deleted row of a cascade.
CREATE INDEX comments_parent ON comments (parent_id) WHERE parent_id IS NOT NULL;
CREATE INDEX blocked_hosts_user ON blocked_hosts (user_id) WHERE user_id IS NOT NULL;
CREATE INDEX blocked_accounts_user ON blocked_accounts (user_id) WHERE user_id IS NOT NULL;
CREATE INDEX abuse_messages_account ON abuse_messages (account_id) WHERE account_id IS NOT NULL;
CREATE INDEX comment_removals_account ON comment_removals (account_id);
CREATE INDEX comment_removals_video_account ON comment_removals (video_account_id) WHERE video_account_id IS NOT NULL;

-- What a timer looks for is found without reading what is not due.
-- Comments of remote videos (server/comments/crawl-due-comments.job).
CREATE INDEX videos_comments_due ON videos (comments_read_at NULLS FIRST, published_at DESC)
  WHERE remote AND gone_at IS NULL AND forbidden_privacy IS NULL AND collections->>'comments' IS NOT NULL;
DROP INDEX videos_comments_read;
-- Remote videos (server/videos/refresh.job): those that were had at the last attempt, and those that wait for another one.
CREATE INDEX videos_refresh_due ON videos (refreshed_at) WHERE remote AND gone_at IS NULL AND refresh_not_before IS NULL;
CREATE INDEX videos_refresh_retry ON videos (refresh_not_before) WHERE remote AND gone_at IS NULL AND refresh_not_before IS NOT NULL;
CREATE INDEX videos_forbidden_due ON videos (forbidden_since)
  WHERE remote AND gone_at IS NULL AND refresh_not_before IS NULL AND forbidden_since IS NOT NULL;
DROP INDEX videos_refreshed;
-- Marks of undone activities (server/fediverse/undone-activities).
CREATE INDEX tombstones_undone ON tombstones (created_at) WHERE url LIKE 'undone %';

-- Whether a comment came from another server and stands below a video of this one: its replies and its author are read from there
-- (server/comments/crawl-replies.job, crawl-commenters.job). Older ones than those jobs look at stay false.
ALTER TABLE comments ADD COLUMN remote_below_local boolean NOT NULL DEFAULT false;
CREATE FUNCTION set_remote_below_local() RETURNS trigger LANGUAGE plpgsql AS '
BEGIN
  NEW.remote_below_local := EXISTS (SELECT FROM videos WHERE id = NEW.video_id AND NOT remote);
  RETURN NEW;
END';
CREATE TRIGGER remote_below_local BEFORE INSERT ON comments FOR EACH ROW WHEN (NEW.remote) EXECUTE FUNCTION set_remote_below_local();
UPDATE comments c SET remote_below_local = true FROM videos v
  WHERE c.remote AND c.created_at > now() - interval '100 days' AND v.id = c.video_id AND NOT v.remote;
CREATE INDEX comments_remote_below_local ON comments (created_at, account_id) WHERE remote_below_local;
DROP INDEX comments_remote_created;
