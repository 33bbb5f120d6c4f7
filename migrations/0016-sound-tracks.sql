-- A video may have several sound tracks, each a rendition of its own.
ALTER TABLE video_files
  ADD COLUMN track smallint NOT NULL DEFAULT 0,      -- of several sound tracks; 0 is the one to begin with
  ADD COLUMN language text,                          -- BCP 47; NULL where unknown
  ADD COLUMN track_name text,
  DROP CONSTRAINT video_files_streaming_playlist_id_resolution_key,
  ADD UNIQUE (streaming_playlist_id, resolution, track);
