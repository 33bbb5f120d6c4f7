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
type RatingKind = Exclude<Rating, 'none'>

const RATING_TEXTS = { like: 'rate.like', dislike: 'rate.dislike' } as const
const RATING_ICONS = { like: 'like', dislike: 'dislike' } as const

/** The like and dislike buttons of a video. A rating is shown at once and undone if the request fails; guests get links to the login. */
export function RatingButtons({ video, headers }: { video: VideoDetails; headers?: Record<string, string> }): JSX.Element {
  const { url } = useLocation()
  const { data } = useQuery('GET /users/me/videos/:id/rating', isLoggedIn.value ? { params: { id: video.uuid }, headers } : null)
  const [shownRating, setShownRating] = useState<Rating>('none')
  /** The rating of the user that `video.likes` and `video.dislikes` already include. */
  const [countedRating, setCountedRating] = useState<Rating>('none')
  const savedRating = useRef<Rating>('none')
  const wantedRating = useRef<Rating>('none')
  const sending = useRef(false)

  // A layout effect, because this response enables the buttons: the state must be right before the first click.
  useLayoutEffect(() => {
    const rating = isLoggedIn.value ? (data?.rating ?? 'none') : 'none'
    savedRating.current = wantedRating.current = rating
    setShownRating(rating)
    setCountedRating(rating)
  }, [data?.rating, isLoggedIn.value])
  useLayoutEffect(() => setCountedRating(savedRating.current), [video.likes, video.dislikes])

  const sendRating = async () => {
    sending.current = true
    // A click during the request changes the wanted rating: only the last one is sent.
    while (wantedRating.current !== savedRating.current) {
      const rating = wantedRating.current
      try {
        await api('PUT /videos/:id/rate', { params: { id: video.uuid }, headers, body: { rating } })
        savedRating.current = rating
      } catch (error) {
        wantedRating.current = savedRating.current
        setShownRating(savedRating.current)
        showToast(apiErrorText(error), { bad: true })
      }
    }
    sending.current = false
  }
  const toggleRating = (kind: RatingKind) => {
    wantedRating.current = wantedRating.current === kind ? 'none' : kind
    setShownRating(wantedRating.current)
    if (!sending.current) void sendRating()
  }
  const countOf = (kind: RatingKind) => Math.max(0, video[`${kind}s`] + Number(shownRating === kind) - Number(countedRating === kind))
  return (
    <div class="rate" role="group" aria-label={t('rate.name')}>
      {(['like', 'dislike'] as const).map(kind => {
        const buttonProps = {
          icon: RATING_ICONS[kind],
          title: t(RATING_TEXTS[kind]),
          'aria-label': `${t(RATING_TEXTS[kind])}: ${formatCount(countOf(kind))}`,
          children: formatCount(countOf(kind))
        }
        return isLoggedIn.value ? (
          <Button
            key={kind}
            {...buttonProps}
            class={shownRating === kind ? 'rate-mine' : ''}
            aria-pressed={shownRating === kind}
            disabled={!data}
            onClick={() => toggleRating(kind)}
          />
        ) : (
          <ButtonLink key={kind} {...buttonProps} href={`/login?next=${encodeURIComponent(url)}`} />
        )
      })}
    </div>
  )
}
