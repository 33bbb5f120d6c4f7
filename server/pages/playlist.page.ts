import { PlaylistId, type VideoPlaylist, type VideoPlaylistElement } from '../../shared/playlists.ts'
import { instanceOrigin } from '../core/config.ts'
import { markdownToPlainText } from '../core/markdown.ts'
import { Problem } from '../core/problem.ts'
import { PLAYLIST_PRIVACY } from '../playlists/playlist.row.ts'
import { getVisiblePlaylist } from '../playlists/playlists.ts'
import { listPlaylistElements, loadPlaylist } from '../playlists/playlists.query.ts'
import { findMediaOrigins, type MediaOrigins } from '../videos/media-origins.ts'
import { embedIframeSize } from './embed-iframe.ts'
import { html, jsonScript, type Html } from './html.ts'
import { markdownToSafeHtml } from './markdown.ts'
import { messagePage } from './message.page.ts'
import type { PageContext, ServerRenderedPage } from './server-rendered-page.ts'
import { uuidsOf } from './watch.page.ts'
import { renderEmbedTags, renderSocialTags } from './social-tags.ts'
import { playlistOwner, renderPlaylistElements } from './video-cards.ts'

const DESCRIPTION_LENGTH = 250
/** As the client requests them (client/src/playlists/use-playlist.ts). */
const ELEMENTS_SHOWN = 100

/**
 * Renders the page of a playlist with its videos; restricted and missing ones give the same 404 page. `videoId`: the video that its owner's
 * player has come to.
 */
export async function playlistPage(id: string, videoId: string | null, context: PageContext): Promise<ServerRenderedPage> {
  const source = 'src/playlists/playlist.page.tsx'
  const playlist = await findPublicPlaylist(id)
  if (!playlist) {
    const closed = messagePage(context.texts.playlistClosed, context, 404, source)
    return { ...closed, title: '', mediaOrigins: await findMediaOrigins(uuidsOf([videoId])) }
  }
  const elements = await loadElements(playlist)
  return {
    ...describe(playlist),
    source,
    mediaOrigins: await mediaOriginsOf(elements.data, videoId),
    head: html`${renderSocialTags({
      type: 'video',
      title: playlist.displayName,
      description: plainDescription(playlist),
      image: playlist.thumbnailPath,
      path: playlistPagePath(playlist),
      embedPath: playlist.embedPath,
      size: embedIframeSize({ aspectRatio: null })
    })}${renderJsonLd(playlist)}`,
    body: html`<div class="watch">
      <div class="watch-main">
        <h1 class="watch-title">${playlist.displayName}</h1>
        <p class="watch-facts"><a href="${playlistOwner(playlist).path}">${playlistOwner(playlist).displayName}</a></p>
        ${playlist.description && html`<div class="watch-about"><div class="prose" data-markdown="${playlist.uuid}">${markdownToSafeHtml(playlist.description)}</div></div>`}
      </div>
      <div class="watch-side"><h2>${context.texts.videos}</h2>${renderPlaylistElements(playlistPagePath(playlist), elements.data, context)}</div>
    </div>`,
    apiResponses: {
      [`/api/v1/video-playlists/${encodeURIComponent(id)}`]: playlist,
      [`/api/v1/video-playlists/${encodeURIComponent(id)}/videos?start=0&count=${ELEMENTS_SHOWN}`]: elements
    }
  }
}

/** Renders the player of a playlist alone, for embedding in other sites. */
export async function embedPlaylistPage(id: string, videoId: string | null, context: PageContext): Promise<ServerRenderedPage> {
  const playlist = await findPublicPlaylist(id)
  if (!playlist)
    return {
      status: 404,
      title: '',
      description: '',
      canonical: null,
      body: html`<main class="embed-nothing"><h1>${context.texts.playlistClosed}</h1></main>`
    }
  const elements = await loadElements(playlist)
  return {
    ...describe(playlist),
    mediaOrigins: await mediaOriginsOf(elements.data, videoId),
    head: html`${renderEmbedTags({
      title: playlist.displayName,
      description: plainDescription(playlist),
      image: playlist.thumbnailPath,
      path: playlistPagePath(playlist)
    })}${renderJsonLd(playlist)}`,
    body: html`<main><h1 class="hidden-text">${playlist.displayName}</h1><noscript>${renderPlaylistElements(playlistPagePath(playlist), elements.data, context)}</noscript></main>`,
    apiResponses: {
      [`/api/v1/video-playlists/${encodeURIComponent(id)}`]: playlist,
      [`/api/v1/video-playlists/${encodeURIComponent(id)}/videos?start=0&count=${ELEMENTS_SHOWN}`]: elements
    }
  }
}

/** Returns the short UUID of a playlist that everyone may see, by its number; null for any other. */
export async function findPublicPlaylistShortUuid(number: string): Promise<string | null> {
  return (await findPublicPlaylist(number))?.shortUUID ?? null
}

/** The path of the page of a playlist. */
export function playlistPagePath({ shortUUID }: Pick<VideoPlaylist, 'shortUUID'>): string {
  return `/w/p/${shortUUID}`
}

function describe(playlist: VideoPlaylist): Pick<ServerRenderedPage, 'status' | 'title' | 'description' | 'canonical'> {
  return {
    status: 200,
    title: playlist.displayName,
    description: plainDescription(playlist),
    canonical: playlist.privacy.id === PLAYLIST_PRIVACY.PUBLIC ? playlistPagePath(playlist) : null
  }
}

/** The origins of the videos of a page of elements, and of one that comes later. */
async function mediaOriginsOf(elements: VideoPlaylistElement[], videoId: string | null): Promise<MediaOrigins> {
  return await findMediaOrigins([...uuidsOf([videoId]), ...elements.flatMap(({ video }) => video?.uuid ?? [])])
}

/** Returns the playlist if everyone may see it. */
async function findPublicPlaylist(id: string): Promise<VideoPlaylist | null> {
  const parsed = PlaylistId.safeParse(id)
  if (!parsed.success) return null
  const row = await getVisiblePlaylist(parsed.data, null).catch((error: unknown) => {
    if (error instanceof Problem && [401, 403, 404].includes(error.status)) return null
    throw error
  })
  return row && (await loadPlaylist(row))
}

async function loadElements(playlist: VideoPlaylist): Promise<{ total: number; data: VideoPlaylistElement[] }> {
  return await listPlaylistElements(playlist, { start: 0, count: ELEMENTS_SHOWN }, null)
}

function plainDescription({ description }: VideoPlaylist): string {
  return markdownToPlainText(description ?? '', DESCRIPTION_LENGTH)
}

function renderJsonLd(playlist: VideoPlaylist): Html {
  const image = playlist.thumbnailPath && `${instanceOrigin()}${playlist.thumbnailPath}`
  return jsonScript('application/ld+json', null, {
    '@context': 'https://schema.org',
    '@type': 'ItemList',
    name: playlist.displayName,
    description: plainDescription(playlist) || playlist.displayName,
    ...(image ? { image, thumbnailUrl: image } : {}),
    url: `${instanceOrigin()}${playlistPagePath(playlist)}`,
    numberOfItems: playlist.videosLength,
    embedUrl: `${instanceOrigin()}${playlist.embedPath}`,
    uploadDate: playlist.createdAt
  })
}
