import type { z } from 'zod'
import type { Channel } from '../../shared/actors.ts'
import type { searchContract, SearchRefusal } from '../../shared/search.ts'
import type { Video } from '../../shared/videos.ts'
import { ActorModel } from '../actors/actor.model.ts'
import { parseHandle } from '../actors/handle.ts'
import { resolveHandle } from '../actors/resolve-actor.ts'
import { listChannels } from '../channels/channels.query.ts'
import { resolveChannel } from '../channels/resolve-channel.ts'
import { config, instanceHost, instanceOrigin } from '../core/config.ts'
import { logger } from '../core/logger.ts'
import { paging } from '../core/paging.ts'
import type { Viewer } from '../core/route.ts'
import { runQuery, sql } from '../core/sql.ts'
import { FetchBudget, FetchError, type FetchErrorKind } from '../fediverse/remote-fetch.ts'
import { keyring } from '../fediverse/keyring.ts'
import { canonicalUrl } from '../fediverse/local-addresses.ts'
import { hostOf, httpUrl } from '../fediverse/origin.ts'
import { longUuid } from '../../shared/short-uuid.ts'
import { resolveVideo, UnusableVideoError } from '../videos/resolve-video.ts'
import { crawlOutboxJob } from '../videos/crawl.job.ts'
import { listVideos } from '../videos/videos.query.ts'

type VideoSearch = z.output<NonNullable<(typeof searchContract)['GET /search/videos']['query']>>
type ChannelSearch = z.output<NonNullable<(typeof searchContract)['GET /search/video-channels']['query']>>

const REFUSALS: Record<FetchErrorKind, SearchRefusal> = {
  gone: 'not_found',
  missing: 'not_found',
  forbidden: 'forbidden',
  refused: 'not_allowed',
  unreachable: 'unreachable',
  invalid: 'not_a_video',
  budget: 'unreachable'
}

/** Searches videos by text, or returns the video at a URL, also an unlisted one. */
export async function searchVideos(
  { search: searchText, ...query }: VideoSearch,
  viewer: Viewer | null
): Promise<{ total?: number; data: Video[]; refusal?: SearchRefusal }> {
  const url = httpUrl(searchText?.trim()) ?? ownUrlWithoutScheme(searchText?.trim() ?? '')
  const { sort, uuids, startDate, endDate, originallyPublishedStartDate, originallyPublishedEndDate, durationMin, durationMax, ...rest } =
    query
  const narrowed = { uuids, startDate, endDate, originallyPublishedStartDate, originallyPublishedEndDate, durationMin, durationMax }
  const isByMatch = sort === 'match' || sort === '-match' || sort === undefined
  if (url === null)
    return await listVideos(
      { ...rest, search: searchText?.trim().slice(0, 200) || undefined, sort: isByMatch ? undefined : sort },
      viewer,
      { narrowed, byMatch: isByMatch ? (sort ?? '-match') : undefined, followedOnly: 'for visitors' }
    )
  const found = await findOrFetchVideo(url, viewer)
  return typeof found === 'number'
    ? await listVideos({ start: 0, count: 1, nsfw: 'both' }, viewer, { videoId: found, unlistedToo: true })
    : { total: 0, data: [], refusal: found }
}

/** Searches channels by text, or returns the channel with a URL or handle. */
export async function searchChannels(
  { search: searchText = '', host, handles, sort, ...rest }: ChannelSearch,
  viewer: Viewer | null
): Promise<{ total: number; data: Channel[] }> {
  const text = searchText.trim()
  const url = httpUrl(text) ?? ownUrlWithoutScheme(text)
  const handle = url === null ? parseHandle(text) : null
  if (url === null && handle === null)
    return await listChannels({
      ...paging(rest),
      sort: sort === undefined ? '-match' : sort,
      search: text.replace(/^(?:acct:@?|[@!])/i, '').slice(0, 200) || undefined,
      host,
      handles
    })
  const id = await findOrFetchChannel(url ?? handle!, viewer)
  return typeof id !== 'number' ? { total: 0, data: [] } : await listChannels({ start: 0, count: 1, id })
}

/** Completes an address of this instance as people copy it: `example.org/c/name`; null for any other text. */
function ownUrlWithoutScheme(text: string): string | null {
  const isOwn = text.toLowerCase().startsWith(`${instanceHost().toLowerCase()}/`)
  return isOwn ? httpUrl(`${new URL(instanceOrigin()).protocol}//${text}`) : null
}

/** Returns the id of the video at a URL, fetched where the viewer is allowed to, or why there is none. */
async function findOrFetchVideo(address: string, viewer: Viewer | null): Promise<number | SearchRefusal> {
  const url = await canonicalUrl(address)
  const uuid = longUuid(new URL(url).pathname.split('/').at(-1)!)
  const [existing] = await runQuery<{ id: number }>(sql`
    SELECT v.id FROM videos v JOIN channels c ON c.id = v.channel_id JOIN actors a ON a.id = c.actor_id
    WHERE v.url = ${url} OR (v.uuid = ${uuid}::uuid AND coalesce(a.host, ${instanceHost()}::text) = ${hostOf(url)})`)
  if (existing) return existing.id
  return await fetchWhereAllowed(url, viewer, async budget => (await resolveVideo(url, { budget })).id)
}

async function findOrFetchChannel(text: string, viewer: Viewer | null): Promise<number | SearchRefusal> {
  const channelId = await fetchWhereAllowed(text, viewer, async budget => {
    const url = httpUrl(text) ?? (await resolveHandle(text, { budget })).url
    const channel = await resolveChannel(url, { budget })
    const actor = await ActorModel.findByPk(channel.actorId, { rejectOnEmpty: true })
    // Its page should not be empty when it is opened.
    if (actor.host !== null)
      await crawlOutboxJob
        .enqueue({ actorId: actor.id })
        .catch(error => logger.debug('A channel found by search is not read now', { error }))
    return channel.id
  })
  return channelId
}

/**
 * Runs `fetchId` with a budget, which is 0 where the viewer may not fetch from that host; returns the reason where the object cannot be
 * fetched.
 */
async function fetchWhereAllowed(
  text: string,
  viewer: Viewer | null,
  fetchId: (budget: FetchBudget) => Promise<number>
): Promise<number | SearchRefusal> {
  const host = httpUrl(text) ? hostOf(text) : text.split('@').at(-1)!.toLowerCase()
  const { users, anonymous } = config.search.remote_uri
  const isAllowed = config.federation.enabled && (viewer ? users : anonymous) && !(await keyring.isBlocked(host, text))
  try {
    return await fetchId(new FetchBudget(isAllowed ? undefined : 0))
  } catch (error) {
    if (!(error instanceof FetchError)) throw error
    logger.debug('What was searched for could not be had', { text, reason: error.message })
    return isAllowed ? refusalOf(error) : 'not_allowed'
  }
}

function refusalOf(error: FetchError): SearchRefusal {
  return error instanceof UnusableVideoError ? error.reason : REFUSALS[error.kind]
}
