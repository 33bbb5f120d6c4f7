-- When other servers are to be told the counters of a local video; NULL: they know them.
ALTER TABLE videos ADD COLUMN counters_due_at timestamptz;
CREATE INDEX videos_counters_due ON videos (counters_due_at) WHERE counters_due_at IS NOT NULL;
-- When the origin of a remote video is to be asked what stands around it (likes, chapters); NULL: it was asked since it last spoke of the video.
ALTER TABLE videos ADD COLUMN around_due_at timestamptz;
CREATE INDEX videos_around_due ON videos (around_due_at) WHERE around_due_at IS NOT NULL;
-- A row of the inbox is written twice more; with room beside it that touches no index.
ALTER TABLE incoming SET (fillfactor = 50);
-- Hosts that failed lately come after the others: 0, or 1 for them.
ALTER TABLE deliveries ADD COLUMN rank smallint NOT NULL DEFAULT 0;
DROP INDEX deliveries_due;
CREATE INDEX deliveries_due ON deliveries (lane, rank, id);
