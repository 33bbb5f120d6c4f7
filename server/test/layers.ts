/** The layers of server/, lowest first; folders of one layer may not import each other. */
export const LAYERS = [
  ['core'],
  ['storage'],
  ['media'],
  ['fediverse', 'mail'],
  ['actors'],
  ['channels'],
  ['accounts'],
  ['instance', 'notifications', 'groups'],
  ['videos'],
  ['transcoding'],
  ['uploads'],
  ['comments', 'playlists', 'reactions', 'views', 'captions', 'library', 'live', 'search', 'feeds', 'imports', 'studio', 'p2p', 'stats'],
  ['pages', 'moderation', 'redundancy', 'exports'],
  ['app'],
  ['main.ts']
]

/**
 * The layers of client/src, lowest first; `.` are the files directly in it, but for the entry points, which stand on everything. Folders of
 * one layer may not import each other.
 */
export const CLIENT_LAYERS = [
  ['i18n'],
  ['.'],
  ['ui'],
  ['instance'],
  ['page'],
  ['player'],
  ['actors', 'reactions', 'reports'],
  ['videos'],
  ['about', 'accounts', 'captions', 'channels', 'comments', 'library', 'live', 'playlists', 'search', 'subscriptions', 'upload'],
  ['watch', 'admin', 'notifications', 'studio'],
  ['embed', 'federation', 'moderation', 'design'],
  ['app'],
  ['main.tsx', 'embed.tsx']
]
