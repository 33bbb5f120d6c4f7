-- Films that are encoded in chunks by several workers. Nobody sees these in an answer that is kept, so they are not watched.
CREATE TABLE encoding_splits (
  video_id integer PRIMARY KEY REFERENCES videos ON DELETE CASCADE,
  plan jsonb NOT NULL,                   -- what every chunk is encoded by
  folder text NOT NULL                   -- of the chunks' files, in the video's folder of HLS files
);

CREATE TABLE encoding_chunks (
  video_id integer NOT NULL REFERENCES encoding_splits ON DELETE CASCADE,
  number integer NOT NULL,
  start_at double precision NOT NULL,    -- seconds of the film
  end_at double precision,               -- null: to its end
  state text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'running', 'done')),
  failures smallint NOT NULL DEFAULT 0,  -- runs that failed, or whose worker was not heard of any more
  lease integer NOT NULL DEFAULT 0,      -- how often it was leased; the files of a run are named by it
  worker uuid,                           -- who leased it last
  leased_until timestamptz,
  PRIMARY KEY (video_id, number)
);
CREATE INDEX encoding_chunks_open ON encoding_chunks (video_id, number) WHERE state <> 'done';
