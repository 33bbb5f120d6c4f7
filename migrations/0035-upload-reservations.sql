-- Uploads in one request that are arriving: what they may take of their user's quota and of the disk. Kept by a lease that the process renews
-- while the request is open, so that a row whose process died is not counted for long; a job removes it.
CREATE TABLE upload_reservations (
  id uuid PRIMARY KEY,
  user_id integer NOT NULL REFERENCES users ON DELETE CASCADE,
  size bigint NOT NULL,                  -- bytes that may arrive
  received bigint NOT NULL DEFAULT 0,    -- bytes that have
  expires_at timestamptz NOT NULL
);

-- A resumable upload reserves its size. received: bytes on disk, as of the last count. One request at a time writes to the file: `writer`,
-- until writer_until unless it renews that.
ALTER TABLE uploads
  ADD COLUMN received bigint NOT NULL DEFAULT 0,
  ADD COLUMN writer uuid,
  ADD COLUMN writer_until timestamptz;
-- The row outlives its video, so that who asks again learns that the video is gone and not that there was never such an upload.
ALTER TABLE uploads DROP CONSTRAINT uploads_video_id_fkey;
-- They change all the time and never show in an answer that is kept.
DROP TRIGGER changes ON uploads;
CREATE INDEX upload_reservations_user ON upload_reservations (user_id);
