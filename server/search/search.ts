import type { z } from 'zod'
import type { Channel } from '../../shared/actors.ts'
import type { searchContract } from '../../shared/search.ts'
import type { Video } from '../../shared/videos.ts'
import { ActorModel } from '../actors/actor.model.ts'
import { resolveHandle } from '../actors/resolve-actor.ts'
import { listChannels } from '../channels/channels.query.ts'
import { resolveChannel } from '../channels/resolve-channel.ts'
import { config, instanceHost as ourHost } from '../core/config.ts'
import { logger } from '../core/logger.ts'
import { paging } from '../core/paging.ts'
import type { Viewer } from '../core/route.ts'
import { runQuery, sql } from '../core/sql.ts'
import { Budget, FetchError } from '../fediverse/remote-fetch.ts'
import { keyring } from '../fediverse/keyring.ts'
import { hostOf, httpUrl } from '../fediverse/origin.ts'
import { longUuid } from '../../shared/short-uuid.ts'
import { resolveVideo } from '../videos/resolve-video.ts'
import { crawlOutboxJob } from '../videos/crawl.job.ts'
import { listVideos } from '../videos/videos.query.ts'

type VideoSearch = z.output<NonNullable<(typeof searchContract)['GET /search/videos']['query']>>
type ChannelSearch = z.output<NonNullable<(typeof searchContract)['GET /search/video-channels']['query']>>

const HANDLE = /^@?([\w.:-]{1,120})@([\w.:[\]-]{1,255})$/

/** Videos by words or by the address of one. */
export async function searchVideos(
  { search: words, ...query }: VideoSearch,
  viewer: Viewer | null
): Promise<{ total: number; data: Video[] }> {
  const address = httpUrl(words?.trim())
  const { sort, uuids, startDate, endDate, originallyPublishedStartDate, originallyPublishedEndDate, durationMin, durationMax, ...rest } =
    query
  const narrowed = { uuids, startDate, endDate, originallyPublishedStartDate, originallyPublishedEndDate, durationMin, durationMax }
  const order = sort === 'match' || sort === '-match' || sort === undefined ? ('-publishedAt' as const) : sort
  if (address === null)
    return await listVideos({ ...rest, search: words?.trim().slice(0, 200) || undefined, sort: order }, viewer, { narrowed })
  const id = await videoAt(address, viewer)
  return id === null ? { total: 0, data: [] } : await listVideos({ start: 0, count: 1, nsfw: 'both' }, viewer, { videoId: id })
}

/** Channels by words, or by the address or handle of one. */
export async function searchChannels(
  { search: words = '', host, handles, sort, ...rest }: ChannelSearch,
  viewer: Viewer | null
): Promise<{ total: number; data: Channel[] }> {
  const text = words.trim()
  const address = httpUrl(text)
  if (address === null && !HANDLE.test(text))
    return await listChannels({
      ...paging(rest),
      sort: sort === 'createdAt' ? 'createdAt' : '-createdAt',
      search: text.replace(/^@/, '').slice(0, 200) || undefined,
      host,
      handles
    })
  const id = await channelAt(address ?? text, viewer)
  return id === null ? { total: 0, data: [] } : await listChannels({ start: 0, count: 1, id })
}

/** The video of an address, fetched where the viewer may have it fetched; null if there is none to be had. */
async function videoAt(address: string, viewer: Viewer | null): Promise<number | null> {
  const uuid = longUuid(new URL(address).pathname.split('/').at(-1)!)
  const [known] = await runQuery<{ id: number }>(sql`
    SELECT v.id FROM videos v JOIN channels c ON c.id = v.channel_id JOIN actors a ON a.id = c.actor_id
    WHERE v.url = ${address} OR (v.uuid::text = ${uuid} AND coalesce(a.host, ${ourHost()}::text) = ${hostOf(address)})`)
  if (known) return known.id
  return await fetched(address, viewer, async budget => (await resolveVideo(address, { budget })).id)
}

async function channelAt(text: string, viewer: Viewer | null): Promise<number | null> {
  const found = await fetched(text, viewer, async budget => {
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
  return found
}

/** What a viewer may have asked of another server, within one budget; null for what cannot be had. */
async function fetched(text: string, viewer: Viewer | null, ask: (budget: Budget) => Promise<number>): Promise<number | null> {
  const host = httpUrl(text) ? hostOf(text) : text.split('@').at(-1)!.toLowerCase()
  const { users, anonymous } = config.search.remote_uri
  const may = config.federation.enabled && (viewer ? users : anonymous) && !(await keyring.isBlocked(host, text))
  try {
    return await ask(new Budget(may ? undefined : 0))
  } catch (error) {
    if (!(error instanceof FetchError)) throw error
    logger.debug('What was searched for could not be had', { text, reason: error.message })
    return null
  }
}
