-- Where the avatar or banner of a remote actor is; NULL: here.
ALTER TABLE actor_images ADD COLUMN url text;
INSERT INTO actor_images (actor_id, kind, filename, width, height, url, created_at, updated_at)
  SELECT id, 'avatar', gen_random_uuid() || '.png', 120, 120, avatar_url, now(), now() FROM actors WHERE host IS NOT NULL AND avatar_url IS NOT NULL
  UNION ALL SELECT id, 'banner', gen_random_uuid() || '.png', 1920, 317, banner_url, now(), now() FROM actors WHERE host IS NOT NULL AND banner_url IS NOT NULL;
