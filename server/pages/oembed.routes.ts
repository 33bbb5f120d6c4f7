import { Router } from 'express'
import { z } from 'zod'
import { VideoId, type VideoDetails } from '../../shared/videos.ts'
import { config, instanceHost, instanceOrigin } from '../core/config.ts'
import { limitRate } from '../core/request-rate-limit.ts'
import { Problem } from '../core/problem.ts'
import { queryAs, sql } from '../core/sql.ts'
import { parseUrl } from '../core/url.ts'
import { findVideoAccessInfo } from '../videos/video-access.ts'
import { VIDEO_PRIVACY } from '../videos/video.model.ts'
import { isPublicOrUnlisted } from '../videos/video.policy.ts'
import { imagePath } from '../videos/video-urls.ts'
import { findVideo } from '../videos/videos.ts'
import { channelPagePath } from './video-cards.ts'
import { embedIframeHtml, embedIframeSize } from './embed-iframe.ts'

const MaxSide = z.coerce.number().int().min(1).max(100_000).optional()
const OembedQuery = z.object({
  url: z.string().min(1).max(2000),
  maxwidth: MaxSide,
  maxheight: MaxSide,
  format: z.string().max(20).default('json')
})
const VIDEO_PATHS = [/^\/(?:w|videos\/watch|videos\/embed)\/([^/]+)\/?$/, /^\/videos\/([^/]+)\/watch\/?$/]
/** Query parameters of a video's URL that its player understands, too. */
const PLAYER_PARAMETERS = ['start', 'stop']

/** oEmbed (oembed.com): describes how other sites embed a local video. */
export const oembedRouter = Router()

oembedRouter.get('/services/oembed', limitRate('client'), async (request, response) => {
  response.setHeader('Access-Control-Allow-Origin', '*')
  const parsed = OembedQuery.safeParse(request.query)
  if (!parsed.success)
    throw new Problem(400, 'invalid_request', 'Give the address of a video of this server as `url`, and sizes as whole numbers.')
  const { url, maxwidth, maxheight, format } = parsed.data
  if (format !== 'json') throw new Problem(501, null, 'Requested format is not implemented on server.', { details: { format } })
  const { id, playerParameters } = parseVideoUrl(url)
  const { privacy } = await findVideoAccessInfo(id)
  // Numeric ids can be enumerated: they open what is public only.
  if (typeof id === 'number' ? privacy !== VIDEO_PRIVACY.PUBLIC : !isPublicOrUnlisted(privacy))
    throw new Problem(403, null, 'Video is not publicly available')
  const video = await findVideo(id, { viewer: null })
  const maxSize = { width: maxwidth, height: maxheight }
  const size = embedIframeSize(video, maxSize)
  response.setHeader('Cache-Control', 'no-cache')
  response.type('application/json').send(
    JSON.stringify({
      type: 'video',
      version: '1.0',
      title: video.name,
      html: embedIframeHtml(video, size, playerParameters),
      ...size,
      author_name: video.channel.displayName,
      author_url: `${instanceOrigin()}${channelPagePath(video.channel, video.isLocal)}`,
      provider_name: config.instance.name,
      provider_url: instanceOrigin(),
      ...(await thumbnailFields(video, maxSize))
    })
  )
})

/** Parses the URL of a local video. Throws 400 for any other URL. */
function parseVideoUrl(videoUrl: string): { id: number | string; playerParameters: URLSearchParams } {
  const url = parseUrl(videoUrl)
  const [, text] = VIDEO_PATHS.map(path => path.exec(url?.pathname ?? '')).find(Boolean) ?? []
  const id = VideoId.safeParse(text)
  if (!url || !/^https?:$/.test(url.protocol) || url.host !== instanceHost() || !id.success)
    throw new Problem(400, null, 'Invalid url.', { details: { url: videoUrl } })
  return {
    id: id.data,
    playerParameters: new URLSearchParams(
      [...url.searchParams].filter(([name, value]) => PLAYER_PARAMETERS.includes(name) && /^[\dhms:]{1,12}$/.test(value))
    )
  }
}

/** Returns the oEmbed fields of the largest thumbnail that fits the size; none where none fits. */
async function thumbnailFields(
  video: VideoDetails,
  { width = Infinity, height = Infinity }: { width?: number; height?: number }
): Promise<object> {
  const thumbnails = await queryAs(
    z.object({ kind: z.enum(['thumbnail', 'preview']), filename: z.string(), width: z.int(), height: z.int() }),
    sql`
    SELECT kind, filename, width, height FROM thumbnails WHERE video_id = ${video.id} AND width > 0 AND height > 0 ORDER BY width DESC`
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
