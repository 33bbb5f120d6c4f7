import { useEffect, useRef, useState } from 'preact/hooks'

/** Entries of one request: the server returns no more at once. */
const PAGE_SIZE = 30

type ListPage<T> = { total: number; data: T[] }
type FetchPage<T> = (range: { start: number; count: number }) => Promise<ListPage<T>>
/** A list as far as it is loaded; `total` is null before the first answer. */
export type ListState<T> = {
  items: T[]
  total: number | null
  busy: boolean
  failed: boolean
  more: boolean
  next: () => void
  reload: () => void
}

/** Loads a list page by page on demand, and again every `reloadMs` milliseconds while the tab is visible; null turns that off. */
export function useList<T>(fetchPage: FetchPage<T>, reloadMs: number | null): ListState<T> {
  const [page, setPage] = useState<ListPage<T> | null>(null)
  const [wantedCount, setWantedCount] = useState(PAGE_SIZE)
  const [reloads, setReloads] = useState(0)
  const [state, setState] = useState<'busy' | 'failed' | 'done'>('busy')
  const latestFetchPage = useRef(fetchPage)
  const loadedCount = useRef(0)
  latestFetchPage.current = fetchPage
  const reload = () => setReloads(count => count + 1)

  useEffect(() => {
    let current = true
    const load = async () => {
      // Reloads by the timer show no spinner.
      if (loadedCount.current !== wantedCount) setState('busy')
      try {
        const data: T[] = []
        let total = 0
        do {
          const next = await latestFetchPage.current({ start: data.length, count: PAGE_SIZE })
          data.push(...next.data)
          total = next.total
          if (next.data.length === 0) break
        } while (data.length < Math.min(wantedCount, total))
        if (!current) return
        loadedCount.current = wantedCount
        setPage({ total, data })
        setState('done')
      } catch {
        if (current) setState('failed')
      }
    }
    void load()
    return () => {
      current = false
    }
  }, [wantedCount, reloads])
  useEffect(() => {
    if (reloadMs === null) return
    const timer = setInterval(() => {
      if (document.visibilityState === 'visible') reload()
    }, reloadMs)
    return () => clearInterval(timer)
  }, [reloadMs])
  const items = page?.data ?? []
  return {
    items,
    total: page?.total ?? null,
    busy: state === 'busy',
    failed: state === 'failed',
    more: page !== null && items.length < page.total,
    next: () => setWantedCount(items.length + PAGE_SIZE),
    reload
  }
}
