import { config } from '../core/config.ts'
import { runQuery, sql } from '../core/sql.ts'
import { AccountModel } from '../actors/account.model.ts'
import { ActorModel } from '../actors/actor.model.ts'
import { resolveChannel } from '../channels/resolve-channel.ts'
import type { ChannelModel } from '../channels/channel.model.ts'
import { Budget, FetchError, fetchRemoteDocument } from '../fediverse/remote-fetch.ts'
import { httpUrl, isLocalUrl, sameOrigin } from '../fediverse/origin.ts'
import { stripUnsafeUrls } from './strip-unsafe-urls.ts'
import { removeRemoteVideo, storeRemoteVideo } from './store-remote-video.ts'
import { VideoModel } from './video.model.ts'
import type { VideoObject } from './video-object.ts'
import { InvalidVideoError, parseVideoObject } from './video.codec.ts'

type Options = { budget?: Budget; refresh?: boolean }

/**
 * The video at an address: ours, the one we know, or fetched from its origin when it is unknown or was not asked about for
 * `federation.actors.refresh_after`. One that is gone at its origin is removed here. Throws FetchError.
 */
export async function resolveVideo(address: string, { budget = new Budget(), refresh = false }: Options = {}): Promise<VideoModel> {
  const url = httpUrl(address.split('#', 1)[0])
  if (!url) throw new FetchError('refused', 'This is no address')
  const known = await VideoModel.findOne({ where: { url } })
  if (isLocalUrl(url)) {
    if (!known) throw new FetchError('missing', `${url} is no video here`)
    return known
  }
  if (known && !refresh && !known.goneAt && (known.refreshedAt?.getTime() ?? 0) > Date.now() - config.federation.actors.refresh_after)
    return known
  const askedAt = new Date()
  try {
    const { document } = await fetchRemoteDocument(url, { budget })
    return await storeVideoDocument(document, askedAt, budget)
  } catch (error) {
    if (!(error instanceof FetchError) || !known) throw error
    if (error.kind === 'gone' || error.kind === 'missing') await removeRemoteVideo(url, { askedAt })
    else if (!refresh && !known.goneAt) return known
    throw error
  }
}

/** Stores a video as its document says, once its channel and owner agree (docs/federation.md#one-origin). Throws FetchError. */
export async function storeVideoDocument(document: unknown, askedAt: Date, budget: Budget): Promise<VideoModel> {
  const object = validateVideoDocument(document)
  const channel = await resolveVideoChannel(object, budget)
  const video = await storeRemoteVideo(object, channel.id, askedAt)
  if (!video) throw new FetchError('gone', `${object.id} was deleted`)
  return video
}

/** Reads a video's document; its owners are of its own origin. Throws FetchError. */
export function validateVideoDocument(document: unknown): VideoObject {
  try {
    const object = parseVideoObject(document)
    if ([object.account ?? object.id, object.channel].every(url => sameOrigin(url, object.id))) return stripUnsafeUrls(object)
    throw new InvalidVideoError('the video is of an owner of another origin')
  } catch (error) {
    throw error instanceof InvalidVideoError ? new FetchError('invalid', error.message) : error
  }
}

/** The channel of a video, whose own document names the account that the video names. Throws FetchError. */
export async function resolveVideoChannel(object: VideoObject, budget: Budget): Promise<ChannelModel> {
  const channel = await resolveChannel(object.channel, { budget })
  if (object.account === null || (await channelAccountUrl(channel)) === object.account) return channel
  const again = await resolveChannel(object.channel, { budget, refresh: true })
  if ((await channelAccountUrl(again)) !== object.account)
    throw new FetchError('invalid', `${object.channel} does not belong to ${object.account}`)
  return again
}

/** The address of the account a channel belongs to. */
export async function channelAccountUrl(channel: Pick<ChannelModel, 'accountId'>): Promise<string> {
  const account = await AccountModel.findByPk(channel.accountId, { rejectOnEmpty: true })
  return (await ActorModel.findByPk(account.actorId, { rejectOnEmpty: true })).url
}

/** The addresses that may speak for a known remote video: its account and its channel. */
export async function listVideoOwnerUrls(url: string): Promise<string[]> {
  const [row] = await runQuery<{ account: string; channel: string }>(sql`
    SELECT aa.url AS account, ca.url AS channel FROM videos v JOIN channels c ON c.id = v.channel_id JOIN actors ca ON ca.id = c.actor_id
      JOIN accounts a ON a.id = c.account_id JOIN actors aa ON aa.id = a.actor_id WHERE v.url = ${url} AND v.remote`)
  return row ? [row.account, row.channel] : []
}
