import type { ComponentChildren, JSX } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import type { Video } from '../../../shared/videos.ts'
import { isLoggedIn } from '../credentials.ts'
import { t } from '../i18n/i18n.ts'
import { historyEntryKey } from '../shell/scroll-restoration.ts'
import { Button } from '../ui/button.tsx'
import { ErrorState } from '../ui/feedback.tsx'
import { VideoCard } from './video-card.tsx'

/** So far before its end the list goes on loading. */
const AHEAD = '1600px'
/** So many new cards are drawn at once: scrolling goes on between. */
const DRAWN = 4

type Page = { total: number; data: Video[] }
type List = { items: Video[]; total: number | null }

/** Lists as they were when they were left, by entry of the history. */
const left = new Map<string, List>()

type Props = {
  /** Names the list within its page. */
  name: string
  load: (start: number) => Promise<Page>
  /** What came with the page, if anything. */
  first?: Page
  withChannel?: boolean
  /** The level of the videos' titles on their page. */
  heading: 'h2' | 'h3'
  empty: ComponentChildren
}

/** A grid of videos that goes on as one scrolls; "back" finds it as it was. */
export function InfiniteVideoGrid({ name, load, first, withChannel = true, heading, empty }: Props): JSX.Element {
  const key = useRef(`${historyEntryKey()} ${name}`).current
  const [list, setList] = useState<List>(() => left.get(key) ?? { items: first?.data ?? [], total: first?.total ?? null })
  const [drawn, setDrawn] = useState(list.items.length)
  const [failed, setFailed] = useState(false)
  const busy = useRef(false)
  const end = useRef<HTMLDivElement>(null)
  const cards = useRef(new Map<Video, JSX.Element>()).current
  const more = list.total === null || list.items.length < list.total
  const who = isLoggedIn.value
  const knownWho = useRef(who)

  // A card once made is given again as it is: drawing twenty more does not cost drawing all before them.
  const cardOf = (video: Video, index: number) => {
    const card = cards.get(video) ?? (
      <li key={video.id}>
        <VideoCard video={video} withChannel={withChannel} heading={heading} eager={index < 4} />
      </li>
    )
    cards.set(video, card)
    return card
  }
  const next = async (from: List) => {
    if (busy.current) return
    busy.current = true
    setFailed(false)
    try {
      const { total, data } = await load(from.items.length)
      const known = new Set(from.items.map(({ id }) => id))
      const fresh = data.filter(({ id }) => !known.has(id))
      // What was published meanwhile pushes known videos onto the next page; a page without anything new is the end.
      const items = [...from.items, ...fresh]
      setList({ items, total: fresh.length === 0 ? items.length : total })
    } catch {
      setFailed(true)
    } finally {
      busy.current = false
    }
  }

  useEffect(() => {
    left.set(key, list)
  }, [list])
  useEffect(() => {
    if (knownWho.current === who) return
    knownWho.current = who
    void next({ items: [], total: null })
  }, [who])
  useEffect(() => {
    if (drawn >= list.items.length) return
    const timer = setTimeout(() => setDrawn(drawn + DRAWN))
    return () => clearTimeout(timer)
  }, [drawn, list])
  useEffect(() => {
    if (!more || failed || drawn < list.items.length) return
    // The shapes that stand for the first ones push the end out of sight.
    if (list.items.length === 0) return void next(list)
    const watcher = new IntersectionObserver(
      ([entry]) => {
        if (entry!.isIntersecting) void next(list)
      },
      { rootMargin: AHEAD }
    )
    watcher.observe(end.current!)
    return () => watcher.disconnect()
  }, [list, more, failed, drawn >= list.items.length])

  if (list.total === 0 || (!more && list.items.length === 0)) return <>{empty}</>
  return (
    <>
      <span class="hidden-text" role="status">
        {more ? t('ui.loading') : t('list.end')}
      </span>
      <ul class="grid" role="list" aria-busy={more && !failed && list.items.length === 0}>
        {list.items.slice(0, Math.max(drawn, DRAWN)).map(cardOf)}
        {more &&
          !failed &&
          list.items.length === 0 &&
          Array.from({ length: 8 }, (_, index) => (
            <li key={index} aria-hidden="true">
              <Ghost />
            </li>
          ))}
      </ul>
      {/* Another element for every end: one that is pushed on would count as a jump, though nobody sees it. */}
      <div key={drawn} ref={end} class={more && !failed ? 'endless-on' : 'endless-end'}>
        {failed &&
          (list.items.length === 0 ? (
            <ErrorState text={t('ui.noConnection')} onRetry={() => void next(list)} />
          ) : (
            <Button icon="replay" onClick={() => void next(list)}>
              {t('ui.retry')}
            </Button>
          ))}
      </div>
    </>
  )
}

function Ghost(): JSX.Element {
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
