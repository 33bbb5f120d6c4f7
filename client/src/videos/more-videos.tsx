import type { JSX } from 'preact'
import type { VideoDetails } from '../../../shared/videos.ts'
import { t } from '../i18n/i18n.ts'
import { useQuery } from '../use-query.ts'
import { CompactVideoCard } from './video-card.tsx'

const SHOWN = 10
/** One more than is shown: the video itself is among them. */
const ASKED = SHOWN + 1

/** Other videos to go on with: of the channel first, then the newest of all. */
export function MoreVideos({ video }: { video: VideoDetails }): JSX.Element | null {
  const handle = video.isLocal ? video.channel.name : `${video.channel.name}@${video.channel.host}`
  const query = { count: ASKED, sort: '-publishedAt' as const, skipCount: true }
  const { data: ofChannel, loading } = useQuery('GET /video-channels/:channelHandle/videos', { params: { channelHandle: handle }, query })
  const enough = loading || ofChannel?.data.length === ASKED
  const { data: ofAll, loading: loadingAll } = useQuery('GET /videos', enough ? null : { query })
  if (loading || loadingAll) return null
  const known = new Set([video.id])
  const others = [...(ofChannel?.data ?? []), ...(ofAll?.data ?? [])].filter(({ id }) => !known.has(id) && known.add(id)).slice(0, SHOWN)
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
