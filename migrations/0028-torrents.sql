-- Ids, from one sequence, of each rendition as an HLS file and as one MP4; whether it is still offered as either; when its torrents are to be
-- made (NULL: they are).
ALTER TABLE video_files
  ADD COLUMN web_video_id integer NOT NULL DEFAULT nextval('video_files_id_seq') UNIQUE,
  ADD COLUMN hls boolean NOT NULL DEFAULT true,
  ADD COLUMN web_video boolean NOT NULL DEFAULT true,
  ADD COLUMN torrents_due_at timestamptz DEFAULT now();
CREATE INDEX ON video_files (torrents_due_at) WHERE torrents_due_at IS NOT NULL;

-- BitTorrent metainfo (BEP 3): of the HLS file of a rendition, or of the same rendition as one MP4 (web_video). Trackers and web seeds are
-- added when it is served.
CREATE TABLE torrents (
  video_file_id integer NOT NULL REFERENCES video_files ON DELETE CASCADE,
  web_video boolean NOT NULL,
  filename text NOT NULL UNIQUE,
  info_hash text NOT NULL,               -- SHA-1 of info, 40 hexadecimal digits
  info bytea NOT NULL,                   -- the bencoded info dictionary
  PRIMARY KEY (video_file_id, web_video)
);
CREATE INDEX ON torrents (info_hash);
SELECT watch_changes('torrents');
