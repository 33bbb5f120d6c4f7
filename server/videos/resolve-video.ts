import { config } from '../core/config.ts'
import { run, sql } from '../core/sql.ts'
import { Account } from '../actors/account.model.ts'
import { Actor } from '../actors/actor.model.ts'
import { resolveChannel } from '../channels/resolve-channel.ts'
import type { Channel } from '../channels/channel.model.ts'
import { Budget, FetchError, getDocument } from '../fediverse/remote-fetch.ts'
import { httpUrl, isLocal, sameOrigin } from '../fediverse/origin.ts'
import { reachable } from './strip-unsafe-urls.ts'
import { removeRemote, storeRemote } from './store-remote-video.ts'
import { Video } from './video.model.ts'
import type { VideoObject } from './video-object.ts'
import { InvalidVideo, readVideo } from './video.codec.ts'

type Options = { budget?: Budget; refresh?: boolean }

/**
 * The video at an address: ours, the one we know, or fetched from its origin when it is unknown or was not asked about for
 * `federation.actors.refresh_after`. One that is gone at its origin is removed here. Throws FetchError.
 */
export async function resolveVideo(address: string, { budget = new Budget(), refresh = false }: Options = {}): Promise<Video> {
  const url = httpUrl(address.split('#', 1)[0])
  if (!url) throw new FetchError('refused', 'This is no address')
  const known = await Video.findOne({ where: { url } })
  if (isLocal(url)) {
    if (!known) throw new FetchError('missing', `${url} is no video here`)
    return known
  }
  if (known && !refresh && !known.goneAt && (known.refreshedAt?.getTime() ?? 0) > Date.now() - config.federation.actors.refresh_after)
    return known
  const askedAt = new Date()
  try {
    const { document } = await getDocument(url, { budget })
    return await storeDocument(document, askedAt, budget)
  } catch (error) {
    if (!(error instanceof FetchError) || !known) throw error
    if (error.kind === 'gone' || error.kind === 'missing') await removeRemote(url, { askedAt })
    else if (!refresh && !known.goneAt) return known
    throw error
  }
}

/** Stores a video as its document says, once its channel and owner agree (federation.md 4.9). Throws FetchError. */
export async function storeDocument(document: unknown, askedAt: Date, budget: Budget): Promise<Video> {
  const object = parsed(document)
  const channel = await ownerOf(object, budget)
  const video = await storeRemote(object, channel.id, askedAt)
  if (!video) throw new FetchError('gone', `${object.id} was deleted`)
  return video
}

/** Reads a video's document; its owners are of its own origin. Throws FetchError. */
export function parsed(document: unknown): VideoObject {
  try {
    const object = readVideo(document)
    if ([object.account ?? object.id, object.channel].every(url => sameOrigin(url, object.id))) return reachable(object)
    throw new InvalidVideo('the video is of an owner of another origin')
  } catch (error) {
    throw error instanceof InvalidVideo ? new FetchError('invalid', error.message) : error
  }
}

/** The channel of a video, whose own document names the account that the video names. Throws FetchError. */
export async function ownerOf(object: VideoObject, budget: Budget): Promise<Channel> {
  const channel = await resolveChannel(object.channel, { budget })
  if (object.account === null || (await accountOf(channel)) === object.account) return channel
  const again = await resolveChannel(object.channel, { budget, refresh: true })
  if ((await accountOf(again)) !== object.account) throw new FetchError('invalid', `${object.channel} does not belong to ${object.account}`)
  return again
}

/** The address of the account a channel belongs to. */
export async function accountOf(channel: Pick<Channel, 'accountId'>): Promise<string> {
  const account = await Account.findByPk(channel.accountId, { rejectOnEmpty: true })
  return (await Actor.findByPk(account.actorId, { rejectOnEmpty: true })).url
}

/** The addresses that may speak for a known remote video: its account and its channel. */
export async function speakersOf(url: string): Promise<string[]> {
  const [row] = await run<{ account: string; channel: string }>(sql`
    SELECT aa.url AS account, ca.url AS channel FROM videos v JOIN channels c ON c.id = v.channel_id JOIN actors ca ON ca.id = c.actor_id
      JOIN accounts a ON a.id = c.account_id JOIN actors aa ON aa.id = a.actor_id WHERE v.url = ${url} AND v.remote`)
  return row ? [row.account, row.channel] : []
}
