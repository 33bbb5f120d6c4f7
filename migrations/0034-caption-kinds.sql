-- Subtitle tracks of a local video beside its captions, of which a language has one: what is foreign to viewers who understand the audio
-- (forced), and what is heard besides speech (hearing_impaired). Not in video_captions, as the version before relies on one row a language.
CREATE TABLE additional_captions (
  id serial PRIMARY KEY,
  video_id integer NOT NULL REFERENCES videos ON DELETE CASCADE,
  language text NOT NULL,
  kind text NOT NULL CHECK (kind IN ('forced', 'hearing_impaired')),
  filename text NOT NULL UNIQUE,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  UNIQUE (video_id, language, kind)
);
SELECT watch_changes('additional_captions');

-- Whether the subtitles and chapters inside the uploaded file were imported: what the owner deleted since does not come back with the next encoding.
ALTER TABLE video_sources ADD COLUMN embedded_imported boolean NOT NULL DEFAULT false;
