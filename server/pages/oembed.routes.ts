import { Router } from 'express'
import { z } from 'zod'
import { VideoId, type VideoDetails } from '../../shared/videos.ts'
import { config, instanceHost, instanceOrigin } from '../core/config.ts'
import { limitRate } from '../core/request-rate-limit.ts'
import { Problem } from '../core/problem.ts'
import { queryAs, sql } from '../core/sql.ts'
import { parseUrl } from '../core/url.ts'
import { imagePath } from '../videos/video-urls.ts'
import { findVideo } from '../videos/videos.ts'
import { channelPagePath } from './video-cards.ts'
import { embedIframeHtml, embedIframeSize } from './embed-iframe.ts'

const Side = z.coerce.number().int().min(1).max(100_000).optional()
const Question = z.object({ url: z.string().min(1).max(2000), maxwidth: Side, maxheight: Side, format: z.string().max(20).default('json') })
const VIDEO_PATHS = [/^\/(?:w|videos\/watch|videos\/embed)\/([^/]+)\/?$/, /^\/videos\/([^/]+)\/watch\/?$/]
/** Wishes in a video's address that its player understands, too. */
const WISHES = ['start', 'stop']

/** oEmbed (oembed.com): what other sites need to show a video of ours inside their pages. */
export const oembedRouter = Router()

oembedRouter.get('/services/oembed', limitRate('client'), async (request, response) => {
  response.setHeader('Access-Control-Allow-Origin', '*')
  const asked = Question.safeParse(request.query)
  if (!asked.success)
    throw new Problem(400, 'invalid_request', 'Give the address of a video of this server as `url`, and sizes as whole numbers.')
  const { url, maxwidth, maxheight, format } = asked.data
  if (format !== 'json') throw new Problem(501, 'oembed_format', 'Only format=json is spoken here.')
  const { id, wishes } = videoIn(url)
  const video = await findVideo(id, { viewer: null })
  const most = { width: maxwidth, height: maxheight }
  const size = embedIframeSize(video, most)
  response.setHeader('Cache-Control', 'no-cache')
  response.type('application/json').send(
    JSON.stringify({
      type: 'video',
      version: '1.0',
      title: video.name,
      html: embedIframeHtml(video, size, wishes),
      ...size,
      author_name: video.channel.displayName,
      author_url: `${instanceOrigin()}${channelPagePath(video.channel, video.isLocal)}`,
      provider_name: config.instance.name,
      provider_url: instanceOrigin(),
      ...(await thumbnail(video, most))
    })
  )
})

/** The video that an address of ours speaks of. Throws 404: nothing else is embedded. */
function videoIn(address: string): { id: number | string; wishes: URLSearchParams } {
  const url = parseUrl(address)
  const [, text] = VIDEO_PATHS.map(path => path.exec(url?.pathname ?? '')).find(Boolean) ?? []
  const id = VideoId.safeParse(text)
  if (!url || !/^https?:$/.test(url.protocol) || url.host !== instanceHost() || !id.success)
    throw new Problem(404, 'oembed_not_a_video', 'This is not the address of a video of this server; nothing else can be embedded.')
  return {
    id: id.data,
    wishes: new URLSearchParams([...url.searchParams].filter(([name, value]) => WISHES.includes(name) && /^[\dhms:]{1,12}$/.test(value)))
  }
}

/** The largest picture of the video that keeps to the sizes. */
async function thumbnail(
  video: VideoDetails,
  { width = Infinity, height = Infinity }: { width?: number; height?: number }
): Promise<object> {
  const pictures = await queryAs(
    z.object({ kind: z.enum(['thumbnail', 'preview']), filename: z.string(), width: z.int(), height: z.int() }),
    sql`
    SELECT kind, filename, width, height FROM thumbnails WHERE video_id = ${video.id} AND width > 0 AND height > 0 ORDER BY width DESC`
  )
  const fitting = pictures.find(one => one.width <= width && one.height <= height)
  return fitting
    ? {
        thumbnail_url: `${instanceOrigin()}${imagePath(fitting.kind === 'preview' ? 'previews' : 'thumbnails', fitting.filename)}`,
        thumbnail_width: fitting.width,
        thumbnail_height: fitting.height
      }
    : {}
}
