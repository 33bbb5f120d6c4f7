import type { JSX } from 'preact'
import { useLayoutEffect, useRef, useState } from 'preact/hooks'
import { useLocation } from 'preact-iso'
import type { VideoDetails } from '../../../shared/videos.ts'
import { api } from '../api.ts'
import { isLoggedIn } from '../credentials.ts'
import { formatCount, t } from '../i18n/i18n.ts'
import { apiErrorText } from '../api-error-text.ts'
import { Button, ButtonLink } from '../ui/button.tsx'
import { showToast } from '../ui/toast.tsx'
import { useQuery } from '../use-query.ts'

type Rating = 'like' | 'dislike' | 'none'
type Kind = Exclude<Rating, 'none'>

const NAMES = { like: 'rate.like', dislike: 'rate.dislike' } as const
const ICONS = { like: 'like', dislike: 'dislike' } as const

/** Likes and dislikes of a video. A press shows at once and is taken back where the server does not take it; guests are led to the door. */
export function RatingButtons({ video, headers }: { video: VideoDetails; headers?: Record<string, string> }): JSX.Element {
  const { url } = useLocation()
  const { data } = useQuery('GET /users/me/videos/:id/rating', isLoggedIn.value ? { params: { id: video.uuid } } : null)
  const [shown, setShown] = useState<Rating>('none')
  /** What the video's numbers already hold. */
  const [counted, setCounted] = useState<Rating>('none')
  const known = useRef<Rating>('none')
  const wish = useRef<Rating>('none')
  const busy = useRef(false)

  // Before anybody can press the buttons that this answer enables.
  useLayoutEffect(() => {
    const rating = isLoggedIn.value ? (data?.rating ?? 'none') : 'none'
    known.current = wish.current = rating
    setShown(rating)
    setCounted(rating)
  }, [data?.rating, isLoggedIn.value])
  useLayoutEffect(() => setCounted(known.current), [video.likes, video.dislikes])

  const tell = async () => {
    busy.current = true
    // Whoever presses again meanwhile wants the last of it.
    while (wish.current !== known.current) {
      const rating = wish.current
      try {
        await api('PUT /videos/:id/rate', { params: { id: video.uuid }, headers, body: { rating } })
        known.current = rating
      } catch (error) {
        wish.current = known.current
        setShown(known.current)
        showToast(apiErrorText(error), { bad: true })
      }
    }
    busy.current = false
  }
  const press = (kind: Kind) => {
    wish.current = wish.current === kind ? 'none' : kind
    setShown(wish.current)
    if (!busy.current) void tell()
  }
  const countOf = (kind: Kind) => Math.max(0, video[`${kind}s`] + Number(shown === kind) - Number(counted === kind))
  return (
    <div class="rate" role="group" aria-label={t('rate.name')}>
      {(['like', 'dislike'] as const).map(kind => {
        const words = {
          icon: ICONS[kind],
          title: t(NAMES[kind]),
          'aria-label': `${t(NAMES[kind])}: ${formatCount(countOf(kind))}`,
          children: formatCount(countOf(kind))
        }
        return isLoggedIn.value ? (
          <Button
            key={kind}
            {...words}
            class={shown === kind ? 'rate-mine' : ''}
            aria-pressed={shown === kind}
            disabled={!data}
            onClick={() => press(kind)}
          />
        ) : (
          <ButtonLink key={kind} {...words} href={`/login?next=${encodeURIComponent(url)}`} />
        )
      })}
    </div>
  )
}
