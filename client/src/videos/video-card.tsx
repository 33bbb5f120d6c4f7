import type { ComponentChildren, JSX } from 'preact'
import type { Video } from '../../../shared/videos.ts'
import { formatAge, formatCount, formatTime, t } from '../i18n/i18n.ts'
import { Avatar } from '../ui/avatar.tsx'
import { Icon } from '../ui/icon.tsx'
import './video-card.css'

/** The minimum width of a card in a grid: the small image is enough on usual screens, high-density ones load the large one. */
const THUMBNAIL_SIZES = '(max-width: 40rem) 100vw, 17.5rem'

type ChannelReference = { name: string; host: string; displayName: string }

/** Returns the path of the page of a channel: its name, with the host for a remote channel. */
export function channelPath(channel: ChannelReference, isLocal: boolean): string {
  return `/c/${channel.name}${isLocal ? '' : `@${channel.host}`}`
}

/** A video in a grid: thumbnail, duration, title, channel, views, age. */
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
      <a class="card-picture" href={path} target={linkTarget(video)} tabIndex={-1} aria-hidden="true">
        <VideoThumbnail video={video} eager={eager} />
      </a>
      <div class="card-text">
        {withChannel && <Avatar of={video.channel} size="m" />}
        <div class="card-words">
          <Heading class="card-title">
            <a href={path} target={linkTarget(video)}>
              {video.name}
            </a>
          </Heading>
          {withChannel && (
            <p class="card-line">
              <a class="card-channel" href={channelPath(video.channel, video.isLocal)}>
                {video.channel.displayName}
              </a>
            </p>
          )}
          <p class="card-line">{viewsAndAge(video)}</p>
        </div>
      </div>
    </article>
  )
}

/** The page of a remote video is opened as a document of its own, whose Content-Security-Policy names where its files are. */
const linkTarget = ({ isLocal }: Video): '_top' | undefined => (isLocal ? undefined : '_top')

/** A video in a narrow list, with a link to `href` (its page by default); `children` replace the channel, views and age. */
export function CompactVideoCard({
  video,
  heading: Heading,
  href: path = `/w/${video.shortUUID}`,
  children
}: {
  video: Video
  heading: 'h2' | 'h3'
  href?: string
  children?: ComponentChildren
}): JSX.Element {
  return (
    <article class="card card-row">
      <a class="card-picture" href={path} target={linkTarget(video)} tabIndex={-1} aria-hidden="true">
        <VideoThumbnail video={video} narrow />
      </a>
      <div class="card-words">
        <Heading class="card-title">
          <a href={path} target={linkTarget(video)}>
            {video.name}
          </a>
        </Heading>
        {children ?? (
          <>
            <p class="card-line">{video.channel.displayName}</p>
            <p class="card-line">{viewsAndAge(video)}</p>
          </>
        )}
      </div>
    </article>
  )
}

/** The thumbnail of a video with its duration; with `narrow` the small image is used on every screen. */
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
  const srcset = thumbnailPath && previewPath && !narrow ? `${thumbnailPath} 280w, ${previewPath} 850w` : undefined
  return (
    <span class="thumbnail">
      {thumbnailPath ? (
        <img
          src={thumbnailPath}
          srcset={srcset}
          sizes={srcset && THUMBNAIL_SIZES}
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

function viewsAndAge({ views, publishedAt }: Video): string {
  return [...(views > 0 ? [t('video.views', { count: views, number: formatCount(views) })] : []), formatAge(publishedAt)].join(' · ')
}
