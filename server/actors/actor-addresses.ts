import { instanceHost } from '../core/config.ts'
import { runQuery, sql } from '../core/sql.ts'
import { registerLocalAddresses } from '../fediverse/local-addresses.ts'

const TYPES = { account: ['Person', 'Application', 'Service', 'Organization'], channel: ['Group'] }
const PAGES = '(?:/(?:videos|about|video-channels|video-playlists))?'

/** Registers the addresses of accounts and channels, local and remote ones (`name@host`); called once at start. */
export function registerActorAddresses(): void {
  const register = (path: RegExp, types: string[]) =>
    registerLocalAddresses({ path, find: async handles => await findActorUrls(handles, types) })
  register(new RegExp(`^/(?:accounts|a)/@?([^/]+)${PAGES}$`, 'i'), TYPES.account)
  register(new RegExp(`^/(?:video-channels|c)/@?([^/]+)${PAGES}$`, 'i'), TYPES.channel)
  register(new RegExp(`^/@([^/]+)${PAGES}$`, 'i'), [...TYPES.account, ...TYPES.channel])
}

/** Finds actors by `name` or `name@host`, case-insensitively; of an account and a channel with one name the account. */
async function findActorUrls(handles: string[], types: string[]): Promise<Map<string, string>> {
  const own = instanceHost().toLowerCase()
  const parts = handles.map(handle => handle.split('@', 2)).map(([name = '', host = own]) => [name.toLowerCase(), host.toLowerCase()])
  const rows = await runQuery<{ handle: string; url: string }>(sql`
    SELECT given.handle, found.url FROM unnest(${handles}::text[], ${parts.map(([name]) => name)}::text[], ${parts.map(([, host]) => host)}::text[])
      AS given (handle, name, host)
    JOIN LATERAL (
      SELECT url, type FROM actors WHERE host IS NULL AND given.host = ${own} AND lower(preferred_username) = given.name
      UNION ALL
      SELECT url, type FROM actors WHERE host IS NOT NULL AND lower(host) = given.host AND lower(preferred_username) = given.name
    ) found ON found.type = ANY(${types}) ORDER BY found.type = 'Group' DESC`)
  return new Map(rows.map(({ handle, url }) => [handle, url]))
}
