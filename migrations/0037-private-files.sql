-- The HLS files of a video that was closed to the public while it was being transcoded get their new names afterwards.
ALTER TABLE streaming_playlists ADD COLUMN rename_due boolean NOT NULL DEFAULT false;
CREATE INDEX ON streaming_playlists (id) WHERE rename_due;
