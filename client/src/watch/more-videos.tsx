import type { JSX } from 'preact'
import type { VideoDetails } from '../../../shared/videos.ts'
import { t } from '../i18n/i18n.ts'
import { useQuery } from '../use-query.ts'
import { CompactVideoCard } from '../videos/video-card.tsx'

const MAX_SHOWN = 10
/** One more than is shown, as the video itself may be among them. */
const PAGE_SIZE = MAX_SHOWN + 1

/** Other videos to watch: those of the channel first, then the newest of all. */
export function MoreVideos({ video }: { video: VideoDetails }): JSX.Element | null {
  const handle = video.isLocal ? video.channel.name : `${video.channel.name}@${video.channel.host}`
  const query = { count: PAGE_SIZE, sort: '-publishedAt' as const, skipCount: true }
  const { data: channelVideos, loading } = useQuery('GET /video-channels/:channelHandle/videos', {
    params: { channelHandle: handle },
    query
  })
  const enough = loading || channelVideos?.data.length === PAGE_SIZE
  const { data: newestVideos, loading: loadingNewest } = useQuery('GET /videos', enough ? null : { query })
  if (loading || loadingNewest) return null
  const seenIds = new Set([video.id])
  const others = [...(channelVideos?.data ?? []), ...(newestVideos?.data ?? [])]
    .filter(({ id }) => !seenIds.has(id) && seenIds.add(id))
    .slice(0, MAX_SHOWN)
  if (others.length === 0) return <span class="watch-none" />
  return (
    <>
      <h2>{t('watch.next')}</h2>
      <ul class="watch-list" role="list">
        {others.map(other => (
          <li key={other.id}>
            <CompactVideoCard video={other} heading="h3" />
          </li>
        ))}
      </ul>
    </>
  )
}
