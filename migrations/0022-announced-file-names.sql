-- An Update is owed because what is announced has other addresses than before an upgrade; sent one after the other.
ALTER TABLE videos ADD COLUMN update_due boolean NOT NULL DEFAULT false;
CREATE INDEX ON videos (id) WHERE update_due;
UPDATE videos SET update_due = true WHERE NOT remote AND federated;
