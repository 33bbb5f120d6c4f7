-- The uploaded file as the API lists it until a rendition is finished: its id, from the sequence of those of renditions, and its torrent
-- (BEP 3), which is discarded when the encoding is done. torrent_due_at: when the torrent is to be made (NULL: it is, or is not needed); it has
-- its name before, as programs that upload wait for that.
ALTER TABLE video_sources
  ADD COLUMN file_id integer NOT NULL DEFAULT nextval('video_files_id_seq') UNIQUE,
  ADD COLUMN torrent_due_at timestamptz,
  ADD COLUMN torrent_filename text UNIQUE,
  ADD COLUMN torrent_info bytea;
-- Only of files that are uploaded from now on.
ALTER TABLE video_sources
  ALTER COLUMN torrent_due_at SET DEFAULT now(),
  ALTER COLUMN torrent_filename SET DEFAULT gen_random_uuid() || '.torrent';
CREATE INDEX ON video_sources (torrent_due_at) WHERE torrent_due_at IS NOT NULL AND filename IS NOT NULL;
