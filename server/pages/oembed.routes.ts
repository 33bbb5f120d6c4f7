import { Router } from 'express'
import { z } from 'zod'
import { PlaylistId } from '../../shared/playlists.ts'
import { VideoId } from '../../shared/videos.ts'
import { config, instanceHost, instanceOrigin } from '../core/config.ts'
import { limitRate } from '../core/request-rate-limit.ts'
import { Problem } from '../core/problem.ts'
import { queryAs, sql, type Sql } from '../core/sql.ts'
import { parseUrl } from '../core/url.ts'
import { findVideoAccessInfo } from '../videos/video-access.ts'
import { VIDEO_PRIVACY } from '../videos/video.model.ts'
import { isPublicOrUnlisted } from '../videos/video.policy.ts'
import { imagePath } from '../videos/video-urls.ts'
import { findVideo } from '../videos/videos.ts'
import { getVisiblePlaylist } from '../playlists/playlists.ts'
import { loadPlaylist } from '../playlists/playlists.query.ts'
import { channelPagePath, playlistOwner } from './video-cards.ts'
import { embedIframeHtml, embedIframeSize } from './embed-iframe.ts'

const MaxSide = z.coerce.number().int().min(1).max(100_000).optional()
const OembedQuery = z.object({
  url: z.string().min(1).max(2000),
  maxwidth: MaxSide,
  maxheight: MaxSide,
  format: z.string().max(20).default('json')
})
/** The addresses of a video, also with a comment of it. */
const VIDEO_PATHS = [/^\/(?:w|videos\/watch|videos\/embed)\/([^/;]+)(?:;[^/]*|\/comments\/\d+)?\/?$/, /^\/videos\/([^/]+)\/watch\/?$/]
const PLAYLIST_PATH = /^\/(?:w\/p|videos\/watch\/playlist|video-playlists|video-playlists\/embed)\/([^/]+)\/?$/
/** A language tag (BCP 47) of captions. */
export const SUBTITLE = /^[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8}){0,3}$/
/** Query parameters of a page that its player understands, too, and what they look like. */
const VIDEO_PARAMETERS: Record<string, RegExp> = {
  start: /^[\dhms:]{1,12}$/,
  stop: /^[\dhms:]{1,12}$/,
  subtitle: SUBTITLE
}
const PLAYLIST_PARAMETERS = { playlistPosition: /^[1-9]\d{0,5}$/, subtitle: SUBTITLE }

/** oEmbed (oembed.com): describes how other sites embed a video or playlist of this instance. */
export const oembedRouter = Router()

oembedRouter.get('/services/oembed', limitRate('client'), async (request, response) => {
  response.setHeader('Access-Control-Allow-Origin', '*')
  const parsed = OembedQuery.safeParse(request.query)
  if (!parsed.success)
    throw new Problem(400, 'invalid_request', 'Give the address of a video of this server as `url`, and sizes as whole numbers.')
  const { url, maxwidth, maxheight, format } = parsed.data
  if (format !== 'json') throw new Problem(501, null, 'Requested format is not implemented on server.', { details: { format } })
  const max = { width: maxwidth, height: maxheight }
  const { name, embedPath, author, aspectRatio, playerParameters, images } = await findEmbeddable(url)
  const size = embedIframeSize({ aspectRatio }, max)
  response.setHeader('Cache-Control', 'no-cache')
  response.type('application/json').send(
    JSON.stringify({
      type: 'video',
      version: '1.0',
      title: name,
      html: embedIframeHtml({ name, embedPath }, size, playerParameters),
      ...size,
      author_name: author.displayName,
      author_url: `${instanceOrigin()}${author.path}`,
      provider_name: config.instance.name,
      provider_url: instanceOrigin(),
      ...(await thumbnailFields(images, max))
    })
  )
})

type Embeddable = {
  name: string
  embedPath: string
  author: { displayName: string; path: string }
  aspectRatio: number | null
  playerParameters: URLSearchParams
  /** Selects the rows of `thumbnails`. */
  images: Sql
}

/** Finds what a URL of this instance shows to everyone. Throws 400 for any other URL, 403, 404. */
async function findEmbeddable(address: string): Promise<Embeddable> {
  const url = parseUrl(address)
  const isLocal = url !== null && /^https?:$/.test(url.protocol) && url.host === instanceHost()
  const [, videoId] = VIDEO_PATHS.map(path => path.exec(url?.pathname ?? '')).find(Boolean) ?? []
  const [, playlistId] = PLAYLIST_PATH.exec(url?.pathname ?? '') ?? []
  if (isLocal && playlistId !== undefined) return await findEmbeddablePlaylist(playlistId, url)
  const id = VideoId.safeParse(videoId)
  if (!isLocal || !id.success) throw new Problem(400, null, 'Invalid url.', { details: { url: address } })
  const { privacy } = await findVideoAccessInfo(id.data)
  // Numeric ids can be enumerated: they open what is public only.
  if (typeof id.data === 'number' ? privacy !== VIDEO_PRIVACY.PUBLIC : !isPublicOrUnlisted(privacy))
    throw new Problem(403, null, 'Video is not publicly available')
  const video = await findVideo(id.data, { viewer: null })
  return {
    name: video.name,
    embedPath: video.embedPath,
    author: { displayName: video.channel.displayName, path: channelPagePath(video.channel, video.isLocal) },
    aspectRatio: video.aspectRatio,
    playerParameters: selectParameters(url, VIDEO_PARAMETERS),
    images: sql`video_id = ${video.id}`
  }
}

async function findEmbeddablePlaylist(id: string, url: URL): Promise<Embeddable> {
  const parsed = PlaylistId.safeParse(id)
  if (!parsed.success) throw new Problem(400, null, 'Invalid url.', { details: { url: url.href } })
  const row = await getVisiblePlaylist(parsed.data, null).catch((error: unknown) => {
    throw error instanceof Problem && error.status === 401 ? new Problem(403, null, 'Playlist is not public') : error
  })
  const playlist = await loadPlaylist(row)
  return {
    name: playlist.displayName,
    embedPath: playlist.embedPath,
    author: playlistOwner(playlist),
    aspectRatio: null,
    playerParameters: selectParameters(url, PLAYLIST_PARAMETERS),
    images: sql`filename = ${playlist.thumbnailPath?.split('/').at(-1) ?? null}`
  }
}

function selectParameters({ searchParams }: URL, patterns: Record<string, RegExp>): URLSearchParams {
  return new URLSearchParams([...searchParams].filter(([name, value]) => Object.hasOwn(patterns, name) && patterns[name]!.test(value)))
}

/** Returns the oEmbed fields of the largest thumbnail that fits the size; none where none fits. */
async function thumbnailFields(images: Sql, { width = Infinity, height = Infinity }: { width?: number; height?: number }): Promise<object> {
  const thumbnails = await queryAs(
    z.object({ kind: z.enum(['thumbnail', 'preview']), filename: z.string(), width: z.int(), height: z.int() }),
    sql`
    SELECT kind, filename, width, height FROM thumbnails WHERE ${images} AND width > 0 AND height > 0 ORDER BY width DESC`
  )
  const thumbnail = thumbnails.find(one => one.width <= width && one.height <= height)
  return thumbnail
    ? {
        thumbnail_url: `${instanceOrigin()}${imagePath(thumbnail.kind === 'preview' ? 'previews' : 'thumbnails', thumbnail.filename)}`,
        thumbnail_width: thumbnail.width,
        thumbnail_height: thumbnail.height
      }
    : {}
}
