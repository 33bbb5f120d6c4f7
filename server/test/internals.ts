import { overrideInternals, type PartialInternals } from '../core/internals.ts'
import { REFUSALS } from '../core/rate-limit-refusals.ts'
import { UNREAD_BODY } from '../core/request-body.ts'
import { REMOTE_ACTORS } from '../actors/actor-internals.ts'
import { COLLECTIONS } from '../actors/collection-internals.ts'
import { COMMENT_REPAIR } from '../comments/repair-internals.ts'
import { CRAWL } from '../fediverse/crawl-internals.ts'
import { FETCH } from '../fediverse/fetch-internals.ts'
import { INBOX } from '../fediverse/inbox-internals.ts'
import { OUTBOX } from '../fediverse/outbox-internals.ts'
import { ABUSE_FEDERATION } from '../moderation/abuse-internals.ts'
import { PLAYLIST_FEDERATION } from '../playlists/playlist-internals.ts'
import { UPLOADS } from '../uploads/upload-internals.ts'
import { VIDEO_FEDERATION } from '../videos/federation-internals.ts'
import { ORPHANS } from '../videos/sweep-orphan-files.job.ts'
import { RENAMES } from '../videos/rename-internals.ts'
import { TORRENTS } from '../videos/torrent-internals.ts'

/** All internals by the name of their group (`defineInternals`). */
const INTERNALS = {
  inbox: INBOX,
  outbox: OUTBOX,
  fetch: FETCH,
  commentRepair: COMMENT_REPAIR,
  crawl: CRAWL,
  actors: REMOTE_ACTORS,
  collections: COLLECTIONS,
  videos: VIDEO_FEDERATION,
  renames: RENAMES,
  torrents: TORRENTS,
  orphans: ORPHANS,
  unreadBody: UNREAD_BODY,
  uploads: UPLOADS,
  refusals: REFUSALS,
  playlists: PLAYLIST_FEDERATION,
  abuses: ABUSE_FEDERATION
}

/** Internals that a test changes, by group: `{ inbox: { lease: 400 } }`. */
export type InternalsOverrides = { [G in keyof typeof INTERNALS]?: PartialInternals<(typeof INTERNALS)[G]> }

/** Changes internals of this process; the next test file finds them as they were, as it loads the modules anew. */
export function overrideTestInternals(overrides: InternalsOverrides): void {
  for (const [group, values] of Object.entries(overrides)) overrideInternals(INTERNALS[group as keyof typeof INTERNALS] as object, values)
}
