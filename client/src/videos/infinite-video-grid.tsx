import type { ComponentChildren, JSX } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import type { Video } from '../../../shared/videos.ts'
import { isLoggedIn } from '../credentials.ts'
import { t } from '../i18n/i18n.ts'
import { historyEntryKey } from '../page/scroll-restoration.ts'
import { Button } from '../ui/button.tsx'
import { ErrorState } from '../ui/feedback.tsx'
import { VideoCard } from './video-card.tsx'

/** The distance of the end of the list to the viewport at which the next page is loaded. */
const LOAD_MARGIN = '1600px'
/** The number of new cards rendered in one task, so that scrolling is not blocked. */
const CARDS_PER_STEP = 4

type VideoPage = { total?: number; data: Video[] }
type VideoList = { items: Video[]; total: number | null }

/** The lists as they were when their page was left, by history entry and name. */
const savedLists = new Map<string, VideoList>()

type Props = {
  /** Identifies the list within its page. */
  name: string
  load: (start: number) => Promise<VideoPage>
  /** The response that was embedded in the page, if any. */
  firstPage?: VideoPage
  withChannel?: boolean
  /** The heading level of the videos' titles. */
  heading: 'h2' | 'h3'
  empty: ComponentChildren
}

/** A grid of videos that loads more while the user scrolls; going back in the history restores it. */
export function InfiniteVideoGrid({ name, load, firstPage, withChannel = true, heading, empty }: Props): JSX.Element {
  const key = useRef(`${historyEntryKey()} ${name}`).current
  const [list, setList] = useState<VideoList>(
    () => savedLists.get(key) ?? { items: firstPage?.data ?? [], total: firstPage?.total ?? null }
  )
  const [renderedCount, setRenderedCount] = useState(list.items.length)
  const [failed, setFailed] = useState(false)
  const loading = useRef(false)
  const endMarker = useRef<HTMLDivElement>(null)
  const cardCache = useRef(new Map<Video, JSX.Element>()).current
  const more = list.total === null || list.items.length < list.total
  const loggedIn = isLoggedIn.value
  const loadedAsLoggedIn = useRef(loggedIn)

  // The same element is returned for the same video, so that rendering a further page does not render the earlier cards again.
  const renderCard = (video: Video, index: number) => {
    const card = cardCache.get(video) ?? (
      <li key={video.id}>
        <VideoCard video={video} withChannel={withChannel} heading={heading} eager={index < 4} />
      </li>
    )
    cardCache.set(video, card)
    return card
  }
  const loadNext = async (from: VideoList) => {
    if (loading.current) return
    loading.current = true
    setFailed(false)
    try {
      const { total, data } = await load(from.items.length)
      const knownIds = new Set(from.items.map(({ id }) => id))
      const newVideos = data.filter(({ id }) => !knownIds.has(id))
      // Videos published meanwhile shift known videos to the next page; a page without a new video is the end.
      const items = [...from.items, ...newVideos]
      setList({ items, total: newVideos.length === 0 ? items.length : (total ?? null) })
    } catch {
      setFailed(true)
    } finally {
      loading.current = false
    }
  }

  useEffect(() => {
    savedLists.set(key, list)
  }, [list])
  useEffect(() => {
    if (loadedAsLoggedIn.current === loggedIn) return
    loadedAsLoggedIn.current = loggedIn
    void loadNext({ items: [], total: null })
  }, [loggedIn])
  useEffect(() => {
    if (renderedCount >= list.items.length) return
    const timer = setTimeout(() => setRenderedCount(renderedCount + CARDS_PER_STEP))
    return () => clearTimeout(timer)
  }, [renderedCount, list])
  useEffect(() => {
    if (!more || failed || renderedCount < list.items.length) return
    // The placeholders push the end marker out of the viewport: load the first page without the observer.
    if (list.items.length === 0) return void loadNext(list)
    const observer = new IntersectionObserver(
      ([entry]) => {
        if (entry!.isIntersecting) void loadNext(list)
      },
      { rootMargin: LOAD_MARGIN }
    )
    observer.observe(endMarker.current!)
    return () => observer.disconnect()
  }, [list, more, failed, renderedCount >= list.items.length])

  if (list.total === 0 || (!more && list.items.length === 0)) return <>{empty}</>
  return (
    <>
      <span class="hidden-text" role="status">
        {more ? t('ui.loading') : t('list.end')}
      </span>
      <ul class="grid" role="list" aria-busy={more && !failed && list.items.length === 0}>
        {list.items.slice(0, Math.max(renderedCount, CARDS_PER_STEP)).map(renderCard)}
        {more &&
          !failed &&
          list.items.length === 0 &&
          Array.from({ length: 8 }, (_, index) => (
            <li key={index} aria-hidden="true">
              <CardPlaceholder />
            </li>
          ))}
      </ul>
      {/* A new element for every end: moving the same one would count as a layout shift, though it is invisible. */}
      <div key={renderedCount} ref={endMarker} class={more && !failed ? 'endless-on' : 'endless-end'}>
        {failed &&
          (list.items.length === 0 ? (
            <ErrorState text={t('ui.noConnection')} onRetry={() => void loadNext(list)} />
          ) : (
            <Button icon="replay" onClick={() => void loadNext(list)}>
              {t('ui.retry')}
            </Button>
          ))}
      </div>
    </>
  )
}

function CardPlaceholder(): JSX.Element {
  return (
    <div class="card">
      <div class="ghost ghost-picture" />
      <div>
        <div class="ghost ghost-line" />
        <div class="ghost ghost-line" />
        <div class="ghost ghost-line" />
      </div>
    </div>
  )
}
