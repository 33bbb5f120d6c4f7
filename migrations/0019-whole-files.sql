-- How large a quality is as one file (bytes), its sound included: put together while it is sent, stored nowhere. Null while it grows.
ALTER TABLE video_files ADD COLUMN whole_size bigint;
