import { config } from '../core/config.ts'
import { runQuery, sql, sqlInterval } from '../core/sql.ts'
import { AccountModel } from '../actors/account.model.ts'
import { ActorModel } from '../actors/actor.model.ts'
import { resolveChannelOrDefault } from '../channels/resolve-channel.ts'
import type { ChannelModel } from '../channels/channel.model.ts'
import { FetchBudget, FetchError, fetchRemoteDocument } from '../fediverse/remote-fetch.ts'
import { httpUrl, isLocalUrl, sameOrigin } from '../fediverse/origin.ts'
import { canonicalUrl } from '../fediverse/local-addresses.ts'
import { typeOf, type JsonObject } from '../fediverse/vocabulary.ts'
import { stripUnsafeUrls } from './strip-unsafe-urls.ts'
import { VIDEO_FEDERATION } from './federation-internals.ts'
import { handleForbiddenVideo } from './forbidden-videos.ts'
import { removeRemoteVideo, storeRemoteVideo } from './store-remote-video.ts'
import { VideoModel } from './video.model.ts'
import type { VideoObject } from './video-object.ts'
import { InvalidVideoError, parseVideoObject, type InvalidVideoReason } from './video.codec.ts'
import { isPlayable } from './video-links.codec.ts'

/** Thrown for a document that is no video that this instance can store. */
export class UnusableVideoError extends FetchError {
  readonly reason: InvalidVideoReason
  constructor({ reason, message }: InvalidVideoError) {
    super('invalid', message)
    this.reason = reason
  }
}

type ResolveVideoOptions = { budget?: FetchBudget; refresh?: boolean }

/**
 * Returns the video with this URL: a local one, a stored one, or one fetched from its origin where it is unknown, was not refreshed for
 * `federation.actors.refresh_after`, or `refresh` is set. A video that no longer exists at its origin is removed. Throws FetchError.
 */
export async function resolveVideo(
  videoUrl: string,
  { budget = new FetchBudget(), refresh = false }: ResolveVideoOptions = {}
): Promise<VideoModel> {
  const named = httpUrl(videoUrl.split('#', 1)[0])
  if (!named) throw new FetchError('refused', 'This is no address')
  const url = await canonicalUrl(named)
  const stored = await VideoModel.findOne({ where: { url } })
  if (isLocalUrl(url)) {
    if (!stored) throw new FetchError('missing', `${url} is no video here`)
    return stored
  }
  const isFresh = (stored?.refreshedAt?.getTime() ?? 0) > Date.now() - config.federation.actors.refresh_after
  if (stored && isFresh && !refresh && !stored.goneAt && !stored.forbiddenSince) return stored
  const requestedAt = new Date()
  try {
    const { document } = await fetchRemoteDocument(url, { budget })
    return await storeVideoDocument(document, requestedAt, budget)
  } catch (error) {
    if (!(error instanceof FetchError) || !stored) throw error
    if (error.kind === 'gone' || error.kind === 'missing') {
      await removeRemoteVideo(url, requestedAt)
      throw error
    }
    await postponeRefresh(url)
    if (error.kind === 'forbidden') await handleForbiddenVideo(url, requestedAt, error)
    else if (!refresh && !stored.goneAt) return stored
    throw error
  }
}

/** Has a video whose document cannot be fetched fetched again later, each time after a longer while. */
async function postponeRefresh(url: string): Promise<void> {
  const { refreshRetry, maxRefreshRetry } = VIDEO_FEDERATION
  await runQuery(sql`
    UPDATE videos SET refresh_attempts = refresh_attempts + 1, refresh_not_before = now()
      + least(${sqlInterval(maxRefreshRetry)}, ${sqlInterval(refreshRetry)} * power(2, least(refresh_attempts, 20)))
    WHERE url = ${url}`)
}

/**
 * Stores a video from its document, if its channel belongs to its account (docs/federation.md#one-origin). One that is stored and is not
 * public or has no video any more is removed. Throws FetchError.
 */
export async function storeVideoDocument(document: JsonObject, requestedAt: Date, budget: FetchBudget): Promise<VideoModel> {
  const object = await validateOrRemove(document, requestedAt)
  const channel = await resolveVideoChannel(object, budget)
  const video = await storeRemoteVideo(object, channel.id, requestedAt)
  if (!video) throw new FetchError('gone', `${object.id} was deleted`)
  return video
}

/** Whether a document is of a video, or of a post with one that can be played here; an invalid Video counts, its origin may have it right. */
export function isVideoDocument(document: JsonObject): boolean {
  if (typeOf(document) === 'Video') return true
  try {
    validateVideoDocument(document)
    return true
  } catch {
    return false
  }
}

async function validateOrRemove(document: JsonObject, requestedAt: Date): Promise<VideoObject> {
  try {
    return validateVideoDocument(document)
  } catch (error) {
    const url = httpUrl(document.id)
    if (url && error instanceof UnusableVideoError && isWithdrawal(error)) await removeRemoteVideo(url, requestedAt)
    throw error
  }
}

/** Whether a document that is not usable says that its video is not to be seen any more. */
export const isWithdrawal = ({ reason }: UnusableVideoError): boolean => reason === 'not_public' || reason === 'no_media'

/**
 * Parses the document of a video, or of a post with one that can be played here; account and channel must be of the origin of the video.
 * Throws UnusableVideoError.
 */
export function validateVideoDocument(document: unknown): VideoObject {
  try {
    const object = stripUnsafeUrls(parseVideoObject(document))
    if (![object.account ?? object.id, object.channel].every(url => sameOrigin(url, object.id)))
      throw new InvalidVideoError('invalid', 'the video is of an owner of another origin')
    if (typeOf(document) !== 'Video' && !isPlayable(object)) throw new InvalidVideoError('no_media', 'there is nothing to play')
    return object
  } catch (error) {
    throw error instanceof InvalidVideoError ? new UnusableVideoError(error) : error
  }
}

/** Returns the channel of a video; its own document must name the account that the video names. Throws FetchError. */
export async function resolveVideoChannel(object: VideoObject, budget: FetchBudget): Promise<ChannelModel> {
  const channel = await resolveChannelOrDefault(object.channel, { budget })
  if (object.account === null || (await channelAccountUrl(channel)) === object.account) return channel
  const refreshed = await resolveChannelOrDefault(object.channel, { budget, refresh: true })
  if ((await channelAccountUrl(refreshed)) !== object.account)
    throw new FetchError('invalid', `${object.channel} does not belong to ${object.account}`)
  return refreshed
}

/** Returns the URL of the account that a channel belongs to. */
export async function channelAccountUrl(channel: Pick<ChannelModel, 'accountId'>): Promise<string> {
  const account = await AccountModel.findByPk(channel.accountId, { rejectOnEmpty: true })
  return (await ActorModel.findByPk(account.actorId, { rejectOnEmpty: true })).url
}

/** Returns the URLs of the actors that may change a known remote video: its account and its channel; empty for an unknown one. */
export async function listVideoOwnerUrls(url: string): Promise<string[]> {
  const [row] = await runQuery<{ account: string; channel: string }>(sql`
    SELECT aa.url AS account, ca.url AS channel FROM videos v JOIN channels c ON c.id = v.channel_id JOIN actors ca ON ca.id = c.actor_id
      JOIN accounts a ON a.id = c.account_id JOIN actors aa ON aa.id = a.actor_id WHERE v.url = ${url} AND v.remote`)
  return row ? [row.account, row.channel] : []
}
