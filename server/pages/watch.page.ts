import { longUuid } from '../../shared/short-uuid.ts'
import { VideoId, type Video, type VideoDetails } from '../../shared/videos.ts'
import { instanceOrigin } from '../core/config.ts'
import { markdownToPlainText } from '../core/markdown.ts'
import { Problem } from '../core/problem.ts'
import { listCaptionTracks } from '../videos/captions.ts'
import { listChapters } from '../videos/chapters.ts'
import { findMediaOrigins } from '../videos/media-origins.ts'
import { fileTokenHolder } from '../videos/video-file-token.ts'
import { findVideo } from '../videos/videos.ts'
import { listVideos } from '../videos/videos.query.ts'
import { renderAvatar, channelPagePath, renderVideoList } from './video-cards.ts'
import { prepareEarlyPlayback } from './early-playback.ts'
import { embedIframeSize } from './embed-iframe.ts'
import { html, jsonScript, type Html } from './html.ts'
import { markdownToSafeHtml } from './markdown.ts'
import type { PageContext, ServerRenderedPage } from './server-rendered-page.ts'
import { renderEmbedTags, renderSocialTags } from './social-tags.ts'
import type { PageTexts } from './page-texts.ts'

const DESCRIPTION_LENGTH = 250
const PRIVACY_PUBLIC = 1
const PROGRESSIVE_RESOLUTION = 720
/** As the client requests them (client/src/videos/more-videos.tsx). */
const SUGGESTIONS_SHOWN = 10
const SUGGESTIONS_QUERY = { start: 0, count: SUGGESTIONS_SHOWN + 1, sort: '-publishedAt', skipCount: true } as const

const PLAY_ICON = html`<svg class="icon" width="34" height="34" viewBox="0 0 24 24" aria-hidden="true" fill="currentColor"><path d="M7 4.5v15l12.5-7.5z"/></svg>`

/**
 * Renders the page of a video; restricted and missing videos give the same 404 page. `subtitle`: the language of the captions that the player
 * of other sites starts with.
 */
export async function watchPage(id: string, subtitle: string | null, context: PageContext): Promise<ServerRenderedPage> {
  const video = await findPublicVideo(id)
  const mediaOrigins = await findMediaOrigins(uuidsOf([id]))
  const source = 'src/watch/watch.page.tsx'
  if (!('uuid' in video))
    return {
      status: video.originUrl === null ? 404 : 403,
      title: '',
      description: '',
      canonical: null,
      source,
      // Users may watch here what visitors may not.
      mediaOrigins,
      body:
        video.originUrl === null
          ? html`<div class="page"><p>${context.texts.closed}</p></div>`
          : renderElsewhere(video.originUrl, context.texts)
    }
  const { suggestions, apiResponses } = await findSuggestions(video)
  const description = markdownToPlainText(video.description ?? '', DESCRIPTION_LENGTH)
  return {
    status: 200,
    title: video.name,
    description,
    source,
    mediaOrigins,
    earlyPlayback: await prepareEarlyPlayback(video),
    canonical: video.privacy.id === PRIVACY_PUBLIC ? `/w/${video.shortUUID}` : null,
    head: html`${renderSocialTags({
      type: 'video.other',
      title: video.name,
      description,
      image: video.previewPath,
      path: `/w/${video.shortUUID}`,
      embedPath: video.embedPath + (subtitle ? `?subtitle=${subtitle}` : ''),
      size: embedIframeSize(video)
    })}${renderJsonLd(video)}`,
    body: html`<div class="watch">
      <div class="watch-stage"><div class="player">${renderPlayer(video, context.texts)}${findPlayableFile(video) && renderPlayButton(context.texts)}</div></div>
      <div class="watch-main">
        <h1 class="watch-title">${video.name}</h1>
        <p class="watch-facts"><time datetime="${video.publishedAt}">${new Intl.DateTimeFormat(context.language, { dateStyle: 'long' }).format(new Date(video.publishedAt))}</time></p>
        ${renderFallbackLink(video, context.texts.otherPlayer)}
        <div class="watch-band">
          <div class="watch-who"><a class="watch-channel" href="${channelPagePath(video.channel, video.isLocal)}">${renderAvatar(video.channel)}<span><strong>${video.channel.displayName}</strong><span class="soft small">${context.texts.by} ${video.account.displayName}</span></span></a><span class="watch-placeholder watch-placeholder-subscribe"></span></div>
          <span class="watch-placeholder watch-placeholder-actions"></span>
        </div>
        <div class="watch-about">${video.description && html`<div class="watch-short"><div class="prose" data-markdown="${video.uuid}">${markdownToSafeHtml(video.description)}</div></div>`}</div>
        <div class="watch-placeholder watch-placeholder-comments"></div>
      </div>
      <aside class="watch-side">${suggestions.length > 0 ? html`<h2>${context.texts.next}</h2>${renderVideoList(suggestions, context.language)}` : html`<span class="watch-none"></span>`}</aside>
    </div>`,
    apiResponses: { [`/api/v1/videos/${encodeURIComponent(id)}`]: video, ...(await loadCaptionsAndChapters(video)), ...apiResponses }
  }
}

/** Renders the player alone, for embedding in other sites. */
export async function embedPage(id: string, { texts }: PageContext): Promise<ServerRenderedPage> {
  const video = await findPublicVideo(id)
  const mediaOrigins = await findMediaOrigins(uuidsOf([id]))
  if (!('uuid' in video))
    return {
      status: video.originUrl === null ? 404 : 403,
      title: '',
      description: '',
      canonical: null,
      mediaOrigins,
      body: html`<main class="embed-nothing"><h1>${video.originUrl === null ? texts.closed : texts.elsewhere}</h1></main>`
    }
  const description = markdownToPlainText(video.description ?? '', DESCRIPTION_LENGTH)
  const path = `/w/${video.shortUUID}`
  const early = await prepareEarlyPlayback(video)
  return {
    status: 200,
    title: video.name,
    description,
    canonical: video.privacy.id === PRIVACY_PUBLIC ? path : null,
    head: html`${renderEmbedTags({ title: video.name, description, image: video.previewPath, path })}${renderJsonLd(video)}`,
    mediaOrigins,
    // Playlists too long to be inside of the page are loaded when the viewer comes.
    earlyPlayback: early && { ...early, files: [] },
    body: html`<main><h1 class="hidden-text">${video.name}</h1><div class="player">${renderPlayer(video, texts)}</div></main>`,
    apiResponses: { [`/api/v1/videos/${encodeURIComponent(id)}`]: video, ...(await loadCaptionsAndChapters(video)) }
  }
}

/** The UUIDs that are meant by ids of addresses. */
export function uuidsOf(ids: (string | null)[]): string[] {
  return ids.flatMap(id => (id === null ? [] : (longUuid(id) ?? [])))
}

/** Returns the short UUID of a video that everyone may watch, by its id; null for any other. */
export async function findPublicShortUuid(number: string): Promise<string | null> {
  const video = await findPublicVideo(number)
  return 'uuid' in video ? video.shortUUID : null
}

/**
 * Returns videos to watch next, those of the channel first, then the newest of all, and the API responses that the client builds the same
 * list from.
 */
async function findSuggestions({
  id,
  isLocal,
  channel
}: VideoDetails): Promise<{ suggestions: Video[]; apiResponses: Record<string, unknown> }> {
  const query = `count=${SUGGESTIONS_QUERY.count}&sort=${SUGGESTIONS_QUERY.sort}&skipCount=true`
  const ofChannel = await listVideos(SUGGESTIONS_QUERY, null, { channelId: channel.id, followedOnly: 'for visitors' })
  const handle = encodeURIComponent(isLocal ? channel.name : `${channel.name}@${channel.host}`)
  const apiResponses: Record<string, { data: Video[] }> = { [`/api/v1/video-channels/${handle}/videos?${query}`]: ofChannel }
  if (ofChannel.data.length < SUGGESTIONS_QUERY.count)
    apiResponses[`/api/v1/videos?${query}`] = await listVideos(SUGGESTIONS_QUERY, null, { followedOnly: 'for everybody' })
  const seenIds = new Set([id])
  return {
    apiResponses,
    suggestions: Object.values(apiResponses)
      .flatMap(({ data }) => data)
      .filter(one => !seenIds.has(one.id) && seenIds.add(one.id))
      .slice(0, SUGGESTIONS_SHOWN)
  }
}

/** Returns the API responses with captions and chapters that the player requests. */
async function loadCaptionsAndChapters({ id, uuid, privacy }: VideoDetails): Promise<Record<string, unknown>> {
  return {
    [`/api/v1/videos/${uuid}/caption-tracks`]: await listCaptionTracks({ id, privacy: Number(privacy.id) }, fileTokenHolder(null)),
    [`/api/v1/videos/${uuid}/chapters`]: { chapters: await listChapters(id) }
  }
}

/** Returns the video if everyone may watch it here; else the address where they may, if this instance only does not follow its server. */
async function findPublicVideo(id: string): Promise<VideoDetails | { originUrl: string | null }> {
  const parsed = VideoId.safeParse(id)
  if (!parsed.success) return { originUrl: null }
  return await findVideo(parsed.data, { viewer: null }).catch((error: unknown) => {
    if (error instanceof Problem && [401, 403, 404].includes(error.status)) return { originUrl: error.extra.details?.originUrl ?? null }
    throw error
  })
}

/** As the client draws it (client/src/videos/video-unavailable.tsx). */
function renderElsewhere(originUrl: string, { elsewhere, elsewhereText, watchOn }: PageTexts): Html {
  return html`<div class="page"><div class="state"><h1 class="state-title">${elsewhere}</h1><div class="state-text"><p>${elsewhereText}</p><a class="button button-primary" href="${originUrl}"><span>${watchOn} ${new URL(originUrl).host}</span></a></div></div></div>`
}

/** The player before the client takes over; without scripts its play button opens the file, which the browser then plays by itself. */
function renderPlayer(video: VideoDetails, texts: PageTexts): Html {
  const file = findPlayableFile(video)
  if (!file) return html`<p>${texts.preparing}</p>`
  const poster = video.previewPath
  // Not a <video> element: programs that read pages, such as yt-dlp, would take it for a second video beside the one of the API.
  return html`${poster && html`<img class="player-poster" src="${poster}" alt="">`}<noscript><a class="icon-button player-start" href="${file}" aria-label="${texts.play}" title="${texts.play}">${PLAY_ICON}</a></noscript>`
}

/** The play button of the player; clicks before the player is loaded are replayed to it (client/src/head-script.ts). */
function renderPlayButton({ play }: PageTexts): Html {
  return html`<button type="button" class="icon-button player-start" data-kept aria-label="${play}" title="${play}">${PLAY_ICON}</button>`
}

/**
 * Returns the URL, for a local video the path, that plays a video as the client does (client/src/videos/player-source.ts): its best rendition
 * up to 720p as a single file, or its playlist; null while there is nothing to play.
 */
function findPlayableFile({ isLocal, streamingPlaylists: [playlist], files }: VideoDetails): string | null {
  if (!playlist) {
    const file = (isLocal && selectBySize(files)) || (files.find(one => one.hasVideo) ?? files[0])
    return file ? (isLocal ? new URL(file.fileUrl).pathname : file.fileUrl) : null
  }
  if (!isLocal) return playlist.playlistUrl
  const file = selectBySize(playlist.files)
  return new URL(file ? `${file.resolution.id}.mp4` : playlist.playlistUrl, playlist.playlistUrl).pathname
}

function selectBySize(files: VideoDetails['files']): VideoDetails['files'][number] | null {
  const playable = files.filter(file => file.hasVideo && file.size > 0).sort((a, b) => Number(b.resolution.id) - Number(a.resolution.id))
  return playable.find(file => Number(file.resolution.id) <= PROGRESSIVE_RESOLUTION) ?? playable.at(-1) ?? null
}

/** A link to the playlist for browsers that neither run scripts nor support HLS. */
function renderFallbackLink({ streamingPlaylists: [playlist] }: VideoDetails, label: string): Html {
  return html`${playlist && html`<noscript><p class="small"><a href="${playlist.playlistUrl}">${label}</a></p></noscript>`}`
}

function renderJsonLd(video: VideoDetails): Html {
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
