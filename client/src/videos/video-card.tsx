import type { ComponentChildren, JSX } from 'preact'
import type { Video } from '../../../shared/videos.ts'
import { formatAge, formatCount, formatTime, t } from '../i18n/i18n.ts'
import { Avatar } from '../ui/avatar.tsx'
import { Icon } from '../ui/icon.tsx'
import './video-card.css'

/** The narrowest a card of a grid is: the small picture does on usual screens, dense ones take the large one. */
const SIZES = '(max-width: 40rem) 100vw, 17.5rem'

type Actor = { name: string; host: string; displayName: string }

/** The short address of a channel's page: its name, with the host where it lives elsewhere. */
export function channelPath(channel: Actor, isLocal: boolean): string {
  return `/c/${channel.name}${isLocal ? '' : `@${channel.host}`}`
}

/** A video in a grid: picture, length, title, channel, age. */
export function VideoCard({
  video,
  eager = false,
  withChannel = true,
  heading: Heading
}: {
  video: Video
  eager?: boolean
  withChannel?: boolean
  heading: 'h2' | 'h3'
}): JSX.Element {
  const path = `/w/${video.shortUUID}`
  return (
    <article class="card">
      <a class="card-picture" href={path} tabIndex={-1} aria-hidden="true">
        <VideoThumbnail video={video} eager={eager} />
      </a>
      <div class="card-text">
        {withChannel && <Avatar of={video.channel} size="m" />}
        <div class="card-words">
          <Heading class="card-title">
            <a href={path}>{video.name}</a>
          </Heading>
          {withChannel && (
            <p class="card-line">
              <a class="card-channel" href={channelPath(video.channel, video.isLocal)}>
                {video.channel.displayName}
              </a>
            </p>
          )}
          <p class="card-line">{facts(video)}</p>
        </div>
      </div>
    </article>
  )
}

/** A video in a narrow list beside something else. */
export function CompactVideoCard({
  video,
  heading: Heading,
  children
}: {
  video: Video
  heading: 'h2' | 'h3'
  children?: ComponentChildren
}): JSX.Element {
  const path = `/w/${video.shortUUID}`
  return (
    <article class="card card-row">
      <a class="card-picture" href={path} tabIndex={-1} aria-hidden="true">
        <VideoThumbnail video={video} narrow />
      </a>
      <div class="card-words">
        <Heading class="card-title">
          <a href={path}>{video.name}</a>
        </Heading>
        {children ?? (
          <>
            <p class="card-line">{video.channel.displayName}</p>
            <p class="card-line">{facts(video)}</p>
          </>
        )}
      </div>
    </article>
  )
}

/** The picture of a video with its length; where it is `narrow` the small one does on every screen. */
export function VideoThumbnail({
  video,
  eager = false,
  narrow = false
}: {
  video: Pick<Video, 'thumbnailPath' | 'previewPath' | 'duration'>
  eager?: boolean
  narrow?: boolean
}): JSX.Element {
  const { thumbnailPath, previewPath, duration } = video
  const set = thumbnailPath && previewPath && !narrow ? `${thumbnailPath} 280w, ${previewPath} 850w` : undefined
  return (
    <span class="thumbnail">
      {thumbnailPath ? (
        <img
          src={thumbnailPath}
          srcset={set}
          sizes={set && SIZES}
          width="280"
          height="157"
          alt=""
          loading={eager ? 'eager' : 'lazy'}
          decoding="async"
        />
      ) : (
        <span class="thumbnail-none">
          <Icon name="film" size={36} />
        </span>
      )}
      {duration > 0 && <span class="thumbnail-time">{formatTime(duration)}</span>}
    </span>
  )
}

function facts({ views, publishedAt }: Video): string {
  return [...(views > 0 ? [t('video.views', { count: views, number: formatCount(views) })] : []), formatAge(publishedAt)].join(' · ')
}
