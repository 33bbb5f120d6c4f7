import { runQuery, sql } from '../core/sql.ts'

/** How many rows are seeded. Half of the remote actors are accounts, the other half their channels. */
export type SeedFederationOptions = {
  remoteActors: number
  remoteVideos: number
  localVideos: number
  remoteComments: number
  followers: number
}

/**
 * Inserts rows of other servers as if they had been read a moment ago, so that nothing of them is due, and public videos of the instance's first
 * channel, and takes statistics of these tables.
 * `followers` follow the instance's first actor, which follows 20 remote channels.
 */
export async function seedFederation({
  remoteActors,
  remoteVideos,
  localVideos,
  remoteComments,
  followers
}: SeedFederationOptions): Promise<void> {
  await runQuery(sql`
    INSERT INTO actors (type, url, preferred_username, host, inbox_url, outbox_url, refreshed_at, outbox_read_at, created_at, updated_at)
    SELECT CASE WHEN n % 2 = 1 THEN 'Person' ELSE 'Group' END, 'https://h' || n % 50 || '.example/a/' || n, 'a' || n, 'h' || n % 50 || '.example',
      'https://h' || n % 50 || '.example/inbox', 'https://h' || n % 50 || '.example/a/' || n || '/outbox', now() - n % 600 * interval '1 second',
      now(), now(), now()
    FROM generate_series(1, ${remoteActors}::int) n`)
  await runQuery(sql`
    INSERT INTO accounts (actor_id, name, created_at, updated_at)
    SELECT id, 'a', now(), now() FROM actors WHERE host IS NOT NULL AND type = 'Person'`)
  await runQuery(sql`
    INSERT INTO channels (actor_id, account_id, name, created_at, updated_at)
    SELECT a.id, accounts.id, 'c', now(), now() FROM actors a JOIN accounts ON accounts.actor_id = a.id - 1 WHERE a.host IS NOT NULL AND a.type = 'Group'`)
  await runQuery(sql`
    INSERT INTO videos (uuid, url, remote, channel_id, name, privacy, state, comments_policy, published_at, created_at, updated_at, refreshed_at,
      collections, comments_read_at)
    SELECT gen_random_uuid(), 'https://h.example/v/' || n, true, channel.id, 'v' || n, 1, 1, 1, now() - n * interval '3 minutes', now(), now(),
      now() - n % 600 * interval '1 second', '{"comments":"https://h.example/c"}', now() - n % 600 * interval '1 second'
    FROM generate_series(1, ${remoteVideos}::int) n
    JOIN (SELECT row_number() OVER (ORDER BY c.id) - 1 AS place, c.id FROM channels c JOIN actors a ON a.id = c.actor_id WHERE a.host IS NOT NULL) channel
      ON channel.place = n % ${Math.floor(remoteActors / 2)}::int`)
  await runQuery(sql`
    INSERT INTO videos (uuid, url, channel_id, name, privacy, state, comments_policy, published_at, created_at, updated_at)
    SELECT gen_random_uuid(), 'https://here.example/v/' || n, (SELECT min(c.id) FROM channels c JOIN actors a ON a.id = c.actor_id WHERE a.host IS NULL),
      'v' || n, 1, 1, 1, now() - n * interval '3 minutes', now(), now()
    FROM generate_series(1, ${localVideos}::int) n`)
  await runQuery(sql`
    INSERT INTO comments (url, video_id, account_id, text, remote, created_at, updated_at)
    SELECT 'https://h.example/c/' || n, video.id, author.id, 't', true, now() - n * interval '1 minute', now()
    FROM generate_series(1, ${remoteComments}::int) n
    JOIN (SELECT row_number() OVER (ORDER BY id) - 1 AS place, id FROM videos WHERE remote) video ON video.place = n % ${remoteVideos}::int
    JOIN (SELECT row_number() OVER (ORDER BY c.id) - 1 AS place, c.id FROM accounts c JOIN actors a ON a.id = c.actor_id WHERE a.host IS NOT NULL) author
      ON author.place = n % ${Math.floor(remoteActors / 2)}::int`)
  await runQuery(sql`
    INSERT INTO follows (url, actor_id, target_id, state, created_at, updated_at)
    SELECT 'https://h.example/f/' || a.id, a.id, mine.id, 'accepted', now(), now()
    FROM (SELECT id FROM actors WHERE host IS NOT NULL ORDER BY id LIMIT ${followers}) a, (SELECT min(id) AS id FROM actors WHERE host IS NULL) mine`)
  await runQuery(sql`
    INSERT INTO follows (url, actor_id, target_id, state, created_at, updated_at)
    SELECT 'https://here.example/f/' || a.id, mine.id, a.id, 'accepted', now(), now()
    FROM (SELECT id FROM actors WHERE host IS NOT NULL AND type = 'Group' ORDER BY id LIMIT 20) a, (SELECT min(id) AS id FROM actors WHERE host IS NULL) mine`)
  // Index-only scans need what VACUUM knows of the pages.
  await runQuery(sql`VACUUM ANALYZE actors, accounts, channels, videos, comments, follows, uptime`)
}
