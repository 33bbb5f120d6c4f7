-- What the queue of encodings is ordered by.
ALTER TABLE transcodings
  ADD COLUMN cost double precision NOT NULL DEFAULT 0,   -- pixels to encode, in all pictures of all renditions
  ADD COLUMN priority smallint NOT NULL DEFAULT 0 CHECK (priority BETWEEN -1 AND 1),   -- an administrator's
  ADD COLUMN spent real NOT NULL DEFAULT 0;              -- seconds of encoding, without those it was held
CREATE INDEX transcodings_done ON transcodings (updated_at) WHERE state = 'done';
