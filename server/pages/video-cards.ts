import type { Video } from '../../shared/videos.ts'
import { html, type Html } from './html.ts'
import type { PageLanguage } from './page-texts.ts'

/** A grid of videos as the client draws it: pictures, lengths, links. */
export function renderVideoGrid(videos: Video[], language: PageLanguage, { withChannel = true, heading = 'h2' as 'h2' | 'h3' } = {}): Html {
  return html`<ul class="grid" role="list">${videos.map((video, index) => html`<li>${card(video, language, withChannel, heading, index < 4)}</li>`)}</ul>`
}

/**
 * A narrow list of videos beside something else, which comes first: its pictures are here only for those without scripts, the client draws
 * them in their turn.
 */
export function renderVideoList(videos: Video[], language: PageLanguage): Html {
  return html`<ul class="watch-list" role="list">${videos.map(
    video => html`<li><article class="card card-row">
    <a class="card-picture" href="/w/${video.shortUUID}" tabindex="-1" aria-hidden="true">${picture(video, { narrow: true })}</a>
    <div class="card-words">
      ${title('h3', html`<a href="/w/${video.shortUUID}">${video.name}</a>`)}
      <p class="card-line">${video.channel.displayName}</p><p class="card-line">${day(video, language)}</p>
    </div>
  </article></li>`
  )}</ul>`
}

/** The path of a channel's page. */
export function channelPagePath(channel: { name: string; host: string }, isLocal: boolean): string {
  return `/c/${channel.name}${isLocal ? '' : `@${channel.host}`}`
}

function card(video: Video, language: PageLanguage, withChannel: boolean, heading: 'h2' | 'h3', early: boolean): Html {
  const path = `/w/${video.shortUUID}`
  return html`<article class="card">
    <a class="card-picture" href="${path}" tabindex="-1" aria-hidden="true">${picture(video, { early })}</a>
    <div class="card-text">
      ${withChannel && renderAvatar(video.channel)}
      <div class="card-words">
        ${title(heading, html`<a href="${path}">${video.name}</a>`)}
        ${withChannel && html`<p class="card-line"><a class="card-channel" href="${channelPagePath(video.channel, video.isLocal)}">${video.channel.displayName}</a></p>`}
        <p class="card-line">${day(video, language)}</p>
      </div>
    </div>
  </article>`
}

function picture({ thumbnailPath, previewPath, duration }: Video, { early = false, narrow = false }): Html {
  const set = thumbnailPath && previewPath && !narrow ? `${thumbnailPath} 280w, ${previewPath} 850w` : null
  const image =
    thumbnailPath &&
    html`<img src="${thumbnailPath}" ${set && html`srcset="${set}" sizes="(max-width: 40rem) 100vw, 17.5rem"`} width="280" height="157" alt="" loading="${early ? 'eager' : 'lazy'}" decoding="async">`
  return html`<span class="thumbnail">
      ${image && narrow ? html`<noscript>${image}</noscript>` : image}
      ${duration > 0 && html`<span class="thumbnail-time">${time(duration)}</span>`}
    </span>`
}

function day({ publishedAt }: Video, language: PageLanguage): string {
  return new Intl.DateTimeFormat(language, { dateStyle: 'medium' }).format(new Date(publishedAt))
}

function title(level: 'h2' | 'h3', link: Html): Html {
  return level === 'h2' ? html`<h2 class="card-title">${link}</h2>` : html`<h3 class="card-title">${link}</h3>`
}

/** The picture of an account or channel, else its first letter, as the client draws it. */
export function renderAvatar(
  of: { name: string; displayName: string; avatars: { path: string; width: number }[] },
  size: 'm' | 'l' = 'm'
): Html {
  const pixels = size === 'm' ? 40 : 88
  const sorted = [...of.avatars].sort((a, b) => a.width - b.width)
  const image = sorted.find(({ width }) => width >= pixels * 2) ?? sorted.at(-1)
  if (image) return html`<img class="avatar renderAvatar-${size}" src="${image.path}" width="${pixels}" height="${pixels}" alt="">`
  const tint = [...of.name].reduce((sum, letter) => sum + letter.codePointAt(0)!, 0) % 6
  return html`<span class="avatar renderAvatar-${size} renderAvatar-tint-${tint}" aria-hidden="true">${(of.displayName.trim() || of.name).charAt(0).toUpperCase()}</span>`
}

function time(seconds: number): string {
  const two = (value: number) => String(value).padStart(2, '0')
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60]
  return hours > 0 ? `${hours}:${two(minutes)}:${two(seconds % 60)}` : `${minutes}:${two(seconds % 60)}`
}
