import { VideoId, type Video, type VideoDetails } from '../../shared/videos.ts'
import { instanceOrigin } from '../core/config.ts'
import { markdownToPlainText } from '../core/markdown.ts'
import { Problem } from '../core/problem.ts'
import { listCaptions } from '../videos/captions.ts'
import { listChapters } from '../videos/chapters.ts'
import { findVideo } from '../videos/videos.ts'
import { listVideos } from '../videos/videos.query.ts'
import { renderAvatar, channelPagePath, renderVideoList } from './video-cards.ts'
import { prepareEarlyPlayback } from './early-playback.ts'
import { embedIframeSize } from './embed-iframe.ts'
import { html, jsonScript, type Html } from './html.ts'
import { markdownToSafeHtml } from './markdown.ts'
import type { PageContext, ServerRenderedPage } from './server-rendered-page.ts'
import type { PageTexts } from './page-texts.ts'

const DESCRIPTION_LENGTH = 250
const LISTED = 1
const MIDDLING = 720
/** As the client asks for them (client/src/videos/more-videos.tsx). */
const NEXT_SHOWN = 10
const NEXT = { start: 0, count: NEXT_SHOWN + 1, sort: '-publishedAt', skipCount: true } as const

/** A video with everything about it; what is not open to everybody is not told from what does not exist. */
export async function watchPage(id: string, asking: PageContext): Promise<ServerRenderedPage> {
  const video = await openVideo(id)
  const source = 'src/videos/watch.page.tsx'
  if (!video)
    return {
      status: 404,
      title: '',
      description: '',
      canonical: null,
      source,
      body: html`<div class="page"><p>${asking.words.closed}</p></div>`
    }
  const { others, answers } = await next(video)
  return {
    status: 200,
    title: video.name,
    description: markdownToPlainText(video.description ?? '', DESCRIPTION_LENGTH),
    source,
    early: await prepareEarlyPlayback(video),
    canonical: video.privacy.id === LISTED ? `/w/${video.shortUUID}` : null,
    head: html`${social(video)}${schema(video)}`,
    body: html`<div class="watch">
      <div class="watch-stage"><div class="player">${player(video, asking.words.preparing)}${video.streamingPlaylists.length > 0 && playButton(asking.words)}</div></div>
      <div class="watch-main">
        <h1 class="watch-title">${video.name}</h1>
        <p class="watch-facts"><time datetime="${video.publishedAt}">${new Intl.DateTimeFormat(asking.language, { dateStyle: 'long' }).format(new Date(video.publishedAt))}</time></p>
        ${elsewhere(video, asking.words.otherPlayer)}
        <div class="watch-band">
          <div class="watch-who"><a class="watch-channel" href="${channelPagePath(video.channel, video.isLocal)}">${renderAvatar(video.channel)}<span><strong>${video.channel.displayName}</strong><span class="soft small">${asking.words.by} ${video.account.displayName}</span></span></a><span class="watch-room watch-room-subscribe"></span></div>
          <span class="watch-room watch-room-actions"></span>
        </div>
        <div class="watch-about">${video.description && html`<div class="watch-short"><div class="prose" data-markdown="${video.uuid}">${markdownToSafeHtml(video.description)}</div></div>`}</div>
        <div class="watch-room watch-room-comments"></div>
      </div>
      <aside class="watch-side">${others.length > 0 ? html`<h2>${asking.words.next}</h2>${renderVideoList(others, asking.language)}` : html`<span class="watch-none"></span>`}</aside>
    </div>`,
    answers: { [`/api/v1/videos/${encodeURIComponent(id)}`]: video, ...(await tracks(video)), ...answers }
  }
}

/** The player alone, for other sites' pages. */
export async function embedPage(id: string, { words }: PageContext): Promise<ServerRenderedPage> {
  const video = await openVideo(id)
  if (!video)
    return {
      status: 404,
      title: '',
      description: '',
      canonical: null,
      body: html`<main class="embed-nothing"><h1>${words.closed}</h1></main>`
    }
  return {
    status: 200,
    title: video.name,
    description: '',
    canonical: video.privacy.id === LISTED ? `/w/${video.shortUUID}` : null,
    head: schema(video),
    early: await prepareEarlyPlayback(video),
    body: html`<main><h1 class="hidden-text">${video.name}</h1><div class="player">${player(video, words.preparing)}</div></main>`,
    answers: { [`/api/v1/videos/${encodeURIComponent(id)}`]: video, ...(await tracks(video)) }
  }
}

/** The short UUID of a video that a stranger may watch, by its number; null for any other. */
export async function findPublicShortUuid(number: string): Promise<string | null> {
  return (await openVideo(number))?.shortUUID ?? null
}

/** Videos to go on with: of the channel first, then the newest of all, and the answers the client takes them from. */
async function next({ id, isLocal, channel }: VideoDetails): Promise<{ others: Video[]; answers: Record<string, unknown> }> {
  const query = `count=${NEXT.count}&sort=${NEXT.sort}&skipCount=true`
  const ofChannel = await listVideos(NEXT, null, { channelId: channel.id })
  const handle = encodeURIComponent(isLocal ? channel.name : `${channel.name}@${channel.host}`)
  const answers: Record<string, { data: Video[] }> = { [`/api/v1/video-channels/${handle}/videos?${query}`]: ofChannel }
  if (ofChannel.data.length < NEXT.count) answers[`/api/v1/videos?${query}`] = await listVideos(NEXT, null)
  const known = new Set([id])
  return {
    answers,
    others: Object.values(answers)
      .flatMap(({ data }) => data)
      .filter(one => !known.has(one.id) && known.add(one.id))
      .slice(0, NEXT_SHOWN)
  }
}

/** Subtitles and chapters, as the player asks for them. */
async function tracks({ id, uuid }: VideoDetails): Promise<Record<string, unknown>> {
  return {
    [`/api/v1/videos/${uuid}/captions`]: await listCaptions(id),
    [`/api/v1/videos/${uuid}/chapters`]: { chapters: await listChapters(id) }
  }
}

/** The video if a stranger may watch it. */
async function openVideo(id: string): Promise<VideoDetails | null> {
  const parsed = VideoId.safeParse(id)
  if (!parsed.success) return null
  return await findVideo(parsed.data, { viewer: null }).catch((error: unknown) => {
    if (error instanceof Problem && [401, 403, 404].includes(error.status)) return null
    throw error
  })
}

function player(video: VideoDetails, preparing: string): Html {
  const playlist = video.streamingPlaylists[0]
  if (!playlist) return html`<p>${preparing}</p>`
  const poster = video.previewPath
  const here = (url: string) => (video.isLocal ? new URL(url).pathname : url)
  const whole = video.isLocal && wholeFile(video)
  // The browser's own controls are slow to draw: only those see them who stay with them.
  return html`${poster && html`<img class="player-poster" src="${poster}" alt="">`}<noscript><video controls playsinline preload="none" ${poster && html`poster="${poster}"`}><source src="${here(playlist.playlistUrl)}" type="application/vnd.apple.mpegurl">${whole && html`<source src="${whole}" type="video/mp4">`}</video></noscript>`
}

/** The large button of the player; what is pressed before there is a player is kept for it (client/src/head-script.ts). */
function playButton({ play }: PageTexts): Html {
  return html`<button type="button" class="icon-button player-start" data-kept aria-label="${play}" title="${play}"><svg class="icon" width="34" height="34" viewBox="0 0 24 24" aria-hidden="true" fill="currentColor"><path d="M7 4.5v15l12.5-7.5z"/></svg></button>`
}

/** The best of the qualities that most lines bear, as one file; the client does likewise (client/src/videos/player-source.ts). */
function wholeFile({ streamingPlaylists: [playlist] }: VideoDetails): string | null {
  const sizes = playlist!.files
    .filter(file => file.hasVideo && file.size > 0)
    .map(file => Number(file.resolution.id))
    .sort((a, b) => b - a)
  const size = sizes.find(one => one <= MIDDLING) ?? sizes.at(-1)
  return size === undefined ? null : new URL(`${size}.mp4`, playlist!.playlistUrl).pathname
}

/** A way to the film for browsers that neither run scripts nor know its format. */
function elsewhere({ streamingPlaylists: [playlist] }: VideoDetails, words: string): Html {
  return html`${playlist && html`<noscript><p class="small"><a href="${playlist.playlistUrl}">${words}</a></p></noscript>`}`
}

function social(video: VideoDetails): Html {
  const [image, embed, url] = [
    video.previewPath && `${instanceOrigin()}${video.previewPath}`,
    `${instanceOrigin()}${video.embedPath}`,
    `${instanceOrigin()}/w/${video.shortUUID}`
  ]
  const description = markdownToPlainText(video.description ?? '', DESCRIPTION_LENGTH)
  const { width, height } = embedIframeSize(video)
  return html`<link rel="alternate" type="application/json+oembed" href="${instanceOrigin()}/services/oembed?url=${encodeURIComponent(url)}&format=json" title="${video.name}">
    <meta property="og:type" content="video.other">
    <meta property="og:title" content="${video.name}">
    <meta property="og:url" content="${url}">
    ${description && html`<meta property="og:description" content="${description}">`}
    ${image && html`<meta property="og:image" content="${image}">`}
    <meta property="og:video:url" content="${embed}">
    <meta property="og:video:secure_url" content="${embed}">
    <meta property="og:video:type" content="text/html">
    <meta property="og:video:width" content="${width}">
    <meta property="og:video:height" content="${height}">
    <meta name="twitter:card" content="player">
    <meta name="twitter:title" content="${video.name}">
    ${description && html`<meta name="twitter:description" content="${description}">`}
    ${image && html`<meta name="twitter:image" content="${image}">`}
    <meta name="twitter:player" content="${embed}">
    <meta name="twitter:player:width" content="${width}">
    <meta name="twitter:player:height" content="${height}">`
}

function schema(video: VideoDetails): Html {
  const image = video.previewPath && `${instanceOrigin()}${video.previewPath}`
  return jsonScript('application/ld+json', null, {
    '@context': 'https://schema.org',
    '@type': 'VideoObject',
    name: video.name,
    description: markdownToPlainText(video.description ?? '', DESCRIPTION_LENGTH) || video.name,
    ...(image ? { thumbnailUrl: image, image } : {}),
    uploadDate: video.publishedAt,
    duration: `PT${video.duration}S`,
    url: `${instanceOrigin()}/w/${video.shortUUID}`,
    embedUrl: `${instanceOrigin()}${video.embedPath}`,
    author: {
      '@type': 'Person',
      name: video.channel.displayName,
      url: `${instanceOrigin()}${channelPagePath(video.channel, video.isLocal)}`
    },
    interactionStatistic: { '@type': 'InteractionCounter', interactionType: { '@type': 'WatchAction' }, userInteractionCount: video.views },
    ...(video.nsfw ? { isFamilyFriendly: false } : {})
  })
}
