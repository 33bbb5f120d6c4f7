import { longUuid } from '../../shared/short-uuid.ts'
import { runQuery, sql } from '../core/sql.ts'
import { registerLocalAddresses } from '../fediverse/local-addresses.ts'

/** Registers the addresses of videos, local and remote ones; called once at start. */
export function registerVideoAddresses(): void {
  for (const path of [/^\/(?:videos\/watch|videos\/embed|w)\/([^/]+)$/i, /^\/videos\/([^/]+)\/watch$/i])
    registerLocalAddresses({ path, find: findVideoUrls })
}

/** Finds videos by UUID and short UUID; by number only those that everyone may list, as numbers can be guessed. */
async function findVideoUrls(keys: string[]): Promise<Map<string, string>> {
  const uuids = new Map(keys.map(key => [key, longUuid(key)]))
  const numbers = keys.filter(key => /^[1-9]\d{0,8}$/.test(key))
  const rows = await runQuery<{ id: number; uuid: string; url: string; listed: boolean }>(sql`
    SELECT id, uuid, url, privacy = 1 AND state = 1 AND gone_at IS NULL AND forbidden_privacy IS NULL AS listed FROM videos
    WHERE uuid = ANY(${[...uuids.values()].filter(uuid => uuid !== null)}::uuid[]) OR id = ANY(${numbers}::int[])`)
  const urlByUuid = new Map(rows.map(({ uuid, url }) => [uuid, url]))
  const urlByNumber = new Map(rows.filter(({ listed }) => listed).map(({ id, url }) => [String(id), url]))
  const found = new Map<string, string>()
  for (const key of keys) {
    const url = urlByUuid.get(uuids.get(key) ?? '') ?? urlByNumber.get(key)
    if (url !== undefined) found.set(key, url)
  }
  return found
}
