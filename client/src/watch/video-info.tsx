import type { JSX } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import type { VideoDetails } from '../../../shared/videos.ts'
import { formatAge, formatCount, formatDate, formatSize, languageName, t } from '../i18n/i18n.ts'
import { ReportForm } from '../reports/report-form.tsx'
import { WatchLaterButton } from '../playlists/watch-later-button.tsx'
import { RatingButtons } from '../reactions/rating-buttons.tsx'
import { currentUser } from '../session.ts'
import { SubscribeButton } from '../actors/subscribe-button.tsx'
import { Avatar } from '../ui/avatar.tsx'
import { Button, ButtonLink } from '../ui/button.tsx'
import { Dialog } from '../ui/dialog.tsx'
import { Markdown } from '../ui/markdown.tsx'
import { Menu, type MenuItem } from '../ui/menu.tsx'
import { Badge } from '../ui/feedback.tsx'
import { showToast } from '../ui/toast.tsx'
import { channelPath } from '../videos/video-card.tsx'
import { categoryName, licenceName, privacyName } from '../videos/video-labels.ts'
import type { ShareDialog, ShownInPlayer } from './share-dialog.tsx'
import { authorizedFileUrl, videoPasswordHeader, VIDEO_PRIVACY_IDS } from '../videos/player-source.ts'

/** The information below the player: title, channel, actions, description, metadata. */
export function VideoInfo({
  video,
  password,
  shownInPlayer
}: {
  video: VideoDetails
  password: string | null
  shownInPlayer: () => ShownInPlayer
}): JSX.Element {
  const [openDialog, setOpenDialog] = useState<'support' | 'report' | null>(null)
  const [share, setShare] = useState<{ Dialog: typeof ShareDialog; shown: ShownInPlayer } | null>(null)
  const mayEdit =
    currentUser.value !== null && (currentUser.value.account.id === video.account.id || currentUser.value.role.id < 2) && video.isLocal
  const openShareDialog = async () => {
    const shown = shownInPlayer()
    try {
      setShare({ Dialog: (await import('./share-dialog.tsx')).ShareDialog, shown })
    } catch {
      showToast(t('ui.noConnection'), { bad: true })
    }
  }
  const downloads = useDownloads(video, password)
  const age = video.privacy.id === VIDEO_PRIVACY_IDS.public ? formatAge(video.publishedAt) : formatAge(video.createdAt)
  return (
    <>
      <h1 class="watch-title">{video.name}</h1>
      <p class="watch-facts">
        {video.views > 0 && <span>{t('video.views', { count: video.views, number: formatCount(video.views) })}</span>}
        <time dateTime={video.publishedAt} title={formatDate(video.publishedAt, { dateStyle: 'long', timeStyle: 'short' })}>
          {age}
        </time>
        {video.privacy.id !== VIDEO_PRIVACY_IDS.public && <Badge kind="accent">{privacyName(Number(video.privacy.id))}</Badge>}
        {video.nsfw && <Badge kind="warn">{t('video.sensitive')}</Badge>}
      </p>
      <div class="watch-band">
        <div class="watch-who">
          <a class="watch-channel" href={channelPath(video.channel, video.isLocal)}>
            <Avatar of={video.channel} />
            <span>
              <strong>{video.channel.displayName}</strong>
              <span class="soft small">{t('video.by', { place: video.account.displayName })}</span>
            </span>
          </a>
          <SubscribeButton channel={{ ...video.channel, ownerAccount: video.account }} />
        </div>
        <div class="watch-actions">
          <RatingButtons key={video.uuid} video={video} headers={videoPasswordHeader(password)} />
          {mayEdit && (
            <ButtonLink icon="edit" href={`/my/videos/${video.shortUUID}`}>
              {t('ui.edit')}
            </ButtonLink>
          )}
          {(video.support ?? video.channel.support) && (
            <Button icon="heart" onClick={() => setOpenDialog('support')}>
              {t('watch.support')}
            </Button>
          )}
          <Button icon="share" onClick={() => void openShareDialog()}>
            {t('watch.share')}
          </Button>
          <WatchLaterButton key={`${video.uuid} ${currentUser.value?.id}`} video={video} />
          {currentUser.value !== null && currentUser.value.account.id !== video.account.id && (
            <Button icon="alert" onClick={() => setOpenDialog('report')}>
              {t('reports.open')}
            </Button>
          )}
          {downloads && (
            <Menu
              label={t('watch.download')}
              items={downloads}
              trigger={props => (
                <Button icon="download" {...props}>
                  {t('watch.download')}
                </Button>
              )}
            />
          )}
        </div>
      </div>
      <div class="watch-about">
        {video.description && <Description text={video.description} id={video.uuid} />}
        <VideoFacts video={video} />
      </div>
      {share && <share.Dialog video={video} shown={share.shown} onClose={() => setShare(null)} />}
      {openDialog === 'report' && (
        <ReportForm
          subject={{ kind: 'video', id: video.id, name: video.name }}
          host={video.account.host}
          headers={videoPasswordHeader(password)}
          onClose={() => setOpenDialog(null)}
        />
      )}
      {openDialog === 'support' && (
        <Dialog title={t('watch.support')} onClose={() => setOpenDialog(null)}>
          <Markdown text={(video.support ?? video.channel.support)!} id={`${video.uuid}-support`} />
        </Dialog>
      )}
    </>
  )
}

function Description({ text, id }: { text: string; id: string }): JSX.Element {
  const [expanded, setExpanded] = useState(false)
  const [overflows, setOverflows] = useState(false)
  const container = useRef<HTMLDivElement>(null)
  useEffect(() => {
    const observer = new ResizeObserver(([entry]) => {
      if (!expanded) setOverflows(entry!.target.scrollHeight > entry!.target.clientHeight + 4)
    })
    observer.observe(container.current!)
    return () => observer.disconnect()
  }, [text, expanded])
  return (
    <div>
      <div ref={container} class={expanded ? '' : 'watch-short'}>
        <Markdown text={text} id={id} />
      </div>
      {(overflows || expanded) && (
        <button type="button" class="watch-more" aria-expanded={expanded} onClick={() => setExpanded(!expanded)}>
          {t(expanded ? 'ui.less' : 'ui.more')}
        </button>
      )}
    </div>
  )
}

/** Category, language, licence, original date and tags; only those that are set. */
function VideoFacts({ video }: { video: VideoDetails }): JSX.Element | null {
  const { category, licence, language, tags, originallyPublishedAt } = video
  const facts: [name: string, value: string][] = [
    ...(category.id === null ? [] : [[t('video.category'), categoryName(Number(category.id), category.label)] as [string, string]]),
    ...(language.id === null ? [] : [[t('video.language'), languageName(String(language.id), language.label)] as [string, string]]),
    ...(licence.id === null ? [] : [[t('video.licence'), licenceName(Number(licence.id), licence.label)] as [string, string]]),
    ...(originallyPublishedAt === null ? [] : [[t('video.originally'), formatDate(originallyPublishedAt)] as [string, string]])
  ]
  if (facts.length === 0 && tags.length === 0) return null
  return (
    <>
      {facts.length > 0 && (
        <dl class="watch-table">
          {facts.map(([name, value]) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd>{value}</dd>
            </div>
          ))}
        </dl>
      )}
      {tags.length > 0 && (
        <ul class="row" role="list" aria-label={t('video.tags')}>
          {tags.map(tag => (
            <li key={tag}>
              <Badge>#{tag}</Badge>
            </li>
          ))}
        </ul>
      )}
    </>
  )
}

/** One file of each resolution, the largest first: the single MP4 where there is one. */
function listDownloadableFiles({ files, streamingPlaylists }: VideoDetails): VideoDetails['files'] {
  const chosen = new Map<string, VideoDetails['files'][number]>()
  for (const file of [...files, ...streamingPlaylists.flatMap(playlist => playlist.files)]) {
    const key = `${file.resolution.id} ${file.hasVideo}`
    if (file.size > 0 && !chosen.has(key)) chosen.set(key, file)
  }
  return [...chosen.values()].sort((a, b) => b.resolution.id - a.resolution.id)
}

/** The torrent of a file and the magnet link to it, where it has them. */
async function listTorrents(video: VideoDetails, file: VideoDetails['files'][number], password: string | null): Promise<MenuItem[]> {
  const { torrentDownloadUrl, magnetUri, resolution } = file
  const link = (text: string, href: string, download: boolean): MenuItem[] =>
    href === '' ? [] : [{ kind: 'link', text, detail: resolution.label, href, icon: 'download', download }]
  const href = torrentDownloadUrl === '' ? '' : await authorizedFileUrl(video, torrentDownloadUrl, password)
  return [...link(t('watch.torrent'), href, true), ...link(t('watch.magnet'), magnetUri, false)]
}

/** The menu items for the downloadable files; null if there are none, downloads are disabled, or URLs are still being authorized. */
function useDownloads(video: VideoDetails, password: string | null): MenuItem[] | null {
  const [items, setItems] = useState<MenuItem[] | null>(null)
  const files = listDownloadableFiles(video)
  const key = `${video.uuid} ${files.map(file => `${file.id} ${file.size} ${file.torrentDownloadUrl}`).join()} ${video.downloadEnabled}`
  useEffect(() => {
    if (!video.downloadEnabled || files.length === 0) {
      setItems(null)
      return
    }
    let current = true
    const downloadable = files.filter(file => file.hasVideo || files.length === 1)
    const loadLinks = async () => {
      const links = await Promise.all(
        downloadable.map(async file => ({
          kind: 'link' as const,
          text: file.resolution.label,
          detail: formatSize(file.size),
          href: await authorizedFileUrl(video, file.fileDownloadUrl, password),
          icon: 'film' as const,
          download: true
        }))
      ).catch(() => null)
      const torrents = await listTorrents(video, downloadable[0]!, password).catch(() => [])
      if (current) setItems(links && [...links, ...torrents])
    }
    void loadLinks()
    return () => {
      current = false
    }
  }, [key])
  return items
}
