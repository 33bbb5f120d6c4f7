import type { VideoPlaylist, VideoPlaylistElement } from '../../shared/playlists.ts'
import type { Video } from '../../shared/videos.ts'
import { html, type Html } from './html.ts'
import type { PageLanguage } from './page-texts.ts'
import type { PageContext } from './server-rendered-page.ts'

/** Renders a grid of videos as the client does: thumbnails, durations, links. */
export function renderVideoGrid(videos: Video[], language: PageLanguage, { withChannel = true, heading = 'h2' as 'h2' | 'h3' } = {}): Html {
  return html`<ul class="grid" role="list">${videos.map((video, index) => html`<li>${renderCard(video, language, withChannel, heading, index < 4)}</li>`)}</ul>`
}

/**
 * Renders a narrow list of videos beside the main content; its thumbnails are only for browsers without scripts, as the client loads them
 * after the main content.
 */
export function renderVideoList(videos: Video[], language: PageLanguage): Html {
  return html`<ul class="watch-list" role="list">${videos.map(
    video => html`<li><article class="card card-row">
    <a class="card-picture" href="/w/${video.shortUUID}" tabindex="-1" aria-hidden="true">${renderThumbnail(video, { narrow: true })}</a>
    <div class="card-words">
      ${renderTitle('h3', html`<a href="/w/${video.shortUUID}">${video.name}</a>`)}
      <p class="card-line">${video.channel.displayName}</p><p class="card-line">${formatDate(video, language)}</p>
    </div>
  </article></li>`
  )}</ul>`
}

/** Renders the elements of the playlist at `path` in their order; a video that is not shown leaves its position. */
export function renderPlaylistElements(path: string, elements: VideoPlaylistElement[], { language, texts }: PageContext): Html {
  return html`<ol class="watch-list" role="list">${elements.map(({ video, position }) =>
    video
      ? html`<li><article class="card card-row">
    <a class="card-picture" href="${path}?playlistPosition=${position}" tabindex="-1" aria-hidden="true">${renderThumbnail(video, { narrow: true })}</a>
    <div class="card-words">
      ${renderTitle('h3', html`<a href="${path}?playlistPosition=${position}">${video.name}</a>`)}
      <p class="card-line">${video.channel.displayName}</p><p class="card-line">${formatDate(video, language)}</p>
    </div>
  </article></li>`
      : html`<li><p class="soft">${texts.closed}</p></li>`
  )}</ol>`
}

/** Returns the path of a channel's page. */
export function channelPagePath(channel: { name: string; host: string }, isLocal: boolean): string {
  return `/c/${channel.name}${isLocal ? '' : `@${channel.host}`}`
}

/** The channel of a playlist, or its account where it has none, with the path of its page. */
export function playlistOwner({ videoChannel, ownerAccount, isLocal }: VideoPlaylist): { displayName: string; path: string } {
  return videoChannel
    ? { displayName: videoChannel.displayName, path: channelPagePath(videoChannel, isLocal) }
    : { displayName: ownerAccount.displayName, path: channelPagePath(ownerAccount, isLocal).replace('/c/', '/a/') }
}

function renderCard(video: Video, language: PageLanguage, withChannel: boolean, heading: 'h2' | 'h3', loadEagerly: boolean): Html {
  const path = `/w/${video.shortUUID}`
  return html`<article class="card">
    <a class="card-picture" href="${path}" tabindex="-1" aria-hidden="true">${renderThumbnail(video, { loadEagerly })}</a>
    <div class="card-text">
      ${withChannel && renderAvatar(video.channel)}
      <div class="card-words">
        ${renderTitle(heading, html`<a href="${path}">${video.name}</a>`)}
        ${withChannel && html`<p class="card-line"><a class="card-channel" href="${channelPagePath(video.channel, video.isLocal)}">${video.channel.displayName}</a></p>`}
        <p class="card-line">${formatDate(video, language)}</p>
      </div>
    </div>
  </article>`
}

function renderThumbnail({ thumbnailPath, previewPath, duration }: Video, { loadEagerly = false, narrow = false }): Html {
  const srcset = thumbnailPath && previewPath && !narrow ? `${thumbnailPath} 280w, ${previewPath} 850w` : null
  const image =
    thumbnailPath &&
    html`<img src="${thumbnailPath}" ${srcset && html`srcset="${srcset}" sizes="(max-width: 40rem) 100vw, 17.5rem"`} width="280" height="157" alt="" loading="${loadEagerly ? 'eager' : 'lazy'}" decoding="async">`
  return html`<span class="thumbnail">
      ${image && narrow ? html`<noscript>${image}</noscript>` : image}
      ${duration > 0 && html`<span class="thumbnail-time">${formatDuration(duration)}</span>`}
    </span>`
}

function formatDate({ publishedAt }: Video, language: PageLanguage): string {
  return new Intl.DateTimeFormat(language, { dateStyle: 'medium' }).format(new Date(publishedAt))
}

function renderTitle(level: 'h2' | 'h3', link: Html): Html {
  return level === 'h2' ? html`<h2 class="card-title">${link}</h2>` : html`<h3 class="card-title">${link}</h3>`
}

/** Renders the avatar of an account or channel, or its initial, as the client does. */
export function renderAvatar(
  actor: { name: string; displayName: string; avatars: { path: string; width: number }[] },
  size: 's' | 'm' | 'l' = 'm'
): Html {
  const pixels = { s: 28, m: 40, l: 88 }[size]
  const sorted = [...actor.avatars].sort((a, b) => a.width - b.width)
  const image = sorted.find(({ width }) => width >= pixels * 2) ?? sorted.at(-1)
  if (image) return html`<img class="avatar avatar-${size}" src="${image.path}" width="${pixels}" height="${pixels}" alt="">`
  const tintIndex = [...actor.name].reduce((sum, letter) => sum + letter.codePointAt(0)!, 0) % 6
  return html`<span class="avatar avatar-${size} avatar-tint-${tintIndex}" aria-hidden="true">${(actor.displayName.trim() || actor.name).charAt(0).toUpperCase()}</span>`
}

function formatDuration(seconds: number): string {
  const pad = (value: number) => String(value).padStart(2, '0')
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60]
  return hours > 0 ? `${hours}:${pad(minutes)}:${pad(seconds % 60)}` : `${minutes}:${pad(seconds % 60)}`
}
