import { LAYERS } from './layers.ts'

/** The folder that owns each table: its rules are there, and only folders of its layer or above may read or write it. */
export const TABLE_OWNERS: Record<string, string[]> = {
  core: ['changes', 'custom_config', 'instances', 'rate_limit_refusals', 'uptime'],
  fediverse: [
    ...['deliveries', 'incoming', 'ineffective_activities', 'object_refreshes', 'outgoing', 'peers', 'processed_activities'],
    'tombstones'
  ],
  actors: [
    ...['accounts', 'actor_images', 'actors', 'blocked_accounts', 'blocked_hosts', 'channels', 'follows', 'retired_keys', 'retired_names'],
    'wanted_follows'
  ],
  accounts: ['oauth_tokens', 'users'],
  videos: [
    ...['additional_captions', 'quote_authorizations', 'remote_files', 'remote_playlists', 'storyboards', 'streaming_playlists'],
    ...['thumbnails', 'torrents', 'video_captions', 'video_chapters', 'video_files', 'video_passwords', 'video_shares', 'video_sources'],
    'videos'
  ],
  transcoding: ['encoding_chunks', 'encoding_splits', 'transcodings'],
  uploads: ['upload_reservations', 'uploads'],
  comments: ['comment_attachments', 'comment_removals', 'comments'],
  playlists: ['playlist_elements', 'playlists'],
  reactions: ['reactions'],
  views: ['view_hosts', 'view_marks', 'watches'],
  moderation: ['abuse_messages', 'abuses'],
  redundancy: ['redundancies']
}

/** Which tables of folders above or beside it a file reads all the same, and why. */
export const UPWARD_TABLE_READS: Record<string, { tables: string[]; reason: string }> = {
  'server/accounts/quota.ts': {
    tables: ['streaming_playlists', 'video_files', 'video_sources', 'videos'],
    reason: 'a quota is the sum of the files of a user'
  },
  'server/accounts/users.query.ts': {
    tables: ['abuses', 'comments', 'playlists', 'videos'],
    reason: 'administrators see what a user has, counted in the statement that lists the users'
  },
  'server/channels/channels.query.ts': { tables: ['videos'], reason: 'channels are listed with the number of their videos' },
  'server/channels/channels.ts': { tables: ['users'], reason: 'who owns a channel' },
  'server/channels/subscriptions.routes.ts': { tables: ['videos'], reason: 'subscriptions can be sorted by their newest video' },
  'server/comments/crawl-commenters.ts': { tables: ['reactions'], reason: 'which of the reactions of a commenter are known' },
  'server/fediverse/confirm-at-origin.ts': {
    tables: ['actors', 'follows'],
    reason: 'only hosts with a follow in either direction are asked'
  },
  'server/instance/health.query.ts': {
    tables: ['streaming_playlists', 'transcodings', 'uploads', 'video_files', 'video_sources', 'videos'],
    reason: 'the state of everything, on one page'
  },
  'server/instance/statistics.query.ts': {
    tables: ['abuses', 'playlists', 'streaming_playlists', 'video_files', 'video_sources', 'videos'],
    reason: 'NodeInfo and the statistics count everything'
  },
  'server/videos/make-torrents.job.ts': {
    tables: ['transcodings'],
    reason: 'a video that is encoded gets its torrents when that has ended'
  },
  'server/videos/media-origins.ts': { tables: ['redundancies'], reason: 'copies on other hosts are played, too' },
  'server/videos/quote-request.inbox.ts': { tables: ['comments'], reason: 'a quote is authorized while its comment is there' },
  'server/videos/remote-video.shape.ts': { tables: ['redundancies'], reason: 'copies on other hosts are part of a video for clients' },
  'server/videos/rename-files.job.ts': {
    tables: ['transcodings'],
    reason: 'files of a video that is encoded are renamed when that has ended'
  },
  'server/videos/rename-video-files.ts': {
    tables: ['transcodings'],
    reason: 'files of a video that is encoded are renamed when that has ended'
  },
  'server/videos/sweep-orphan-files.job.ts': { tables: ['transcodings'], reason: 'files that are being encoded have no row yet' },
  'server/videos/uploaded-file.ts': {
    tables: ['transcodings'],
    reason: 'its owner finds the uploaded file among the files until it is encoded'
  },
  'server/videos/video.outbox.ts': { tables: ['redundancies'], reason: 'who holds a copy is told that it ends' }
}

/** Which tables of folders above it a file writes, and why. */
export const UPWARD_TABLE_WRITES: Record<string, { tables: string[]; reason: string }> = {
  'server/actors/resolve-actor.ts': { tables: ['videos'], reason: 'the videos of a remote actor go with it, in one statement' },
  'server/channels/channels.ts': {
    tables: ['videos'],
    reason: 'the videos of a channel go with it; its support text is written into them'
  },
  'server/videos/video.outbox.ts': { tables: ['redundancies'], reason: 'copies on other hosts end in the transaction that hides a video' }
}

const OWNER_OF_TABLE = new Map(Object.entries(TABLE_OWNERS).flatMap(([folder, tables]) => tables.map(table => [table, folder] as const)))

/** The tables that SQL in a source reads or writes; names of common table expressions are among them. */
export function findTables(code: string): { reads: Set<string>; writes: Set<string> } {
  const written = /\b(?:INSERT\s+INTO|UPDATE|DELETE\s+FROM)\s+(?:ONLY\s+)?"?([a-z_]+)"?/g
  // `FROM a x, b AS y`: each item of the list begins with a table.
  const read = /(?<!DELETE\s+)\b(?:FROM|JOIN|USING)\s+((?:[a-z_"]+(?:\s+(?:AS\s+)?[a-z_"]+)?\s*,\s*)*[a-z_"]+)/g
  return {
    writes: new Set([...code.matchAll(written)].map(([, table]) => table!)),
    reads: new Set([...code.matchAll(read)].flatMap(([, list]) => list!.split(',').map(item => /[a-z_]+/.exec(item)?.[0] ?? '')))
  }
}

/** Every table of a folder above or beside it that a source reads or writes without an exception, and every exception it does not need. */
export function findTableFaults(path: string, code: string): string[] {
  const [top, folder] = path.split('/')
  const layerOf = (name: string) => LAYERS.findIndex(line => line.includes(name))
  if (top !== 'server' || layerOf(folder!) === -1) return []
  const isAbove = (table: string) => {
    const owner = OWNER_OF_TABLE.get(table)
    return owner !== undefined && owner !== folder && layerOf(owner) >= layerOf(folder!)
  }
  const { reads, writes } = findTables(code)
  const faults = (verb: string, tables: Set<string>, allowed: string[] = []) => [
    ...[...tables]
      .filter(table => isAbove(table) && !allowed.includes(table))
      .map(table => `${path} ${verb} the table ${table} of ${OWNER_OF_TABLE.get(table)}, which is not below it`),
    ...allowed.filter(table => !tables.has(table)).map(table => `${path} no longer ${verb} the table ${table}: take it off the list`)
  ]
  return [...faults('reads', reads, UPWARD_TABLE_READS[path]?.tables), ...faults('writes', writes, UPWARD_TABLE_WRITES[path]?.tables)]
}
