import { useEffect, useRef, useState } from 'preact/hooks'

const COUNT = 30

type Page<T> = { total: number; data: T[] }
type Asking<T> = (part: { start: number; count: number }) => Promise<Page<T>>
type Listing<T> = { items: T[]; total: number | null; busy: boolean; failed: boolean; more: boolean; next: () => void; reload: () => void }

/** A list of the server that grows on demand and is asked again every `every` milliseconds; null leaves it as it is. */
export function useList<T>(ask: Asking<T>, every: number | null): Listing<T> {
  const [page, setPage] = useState<Page<T> | null>(null)
  const [wanted, setWanted] = useState(COUNT)
  const [asked, setAsked] = useState(0)
  const [state, setState] = useState<'busy' | 'failed' | 'done'>('busy')
  const latest = useRef(ask)
  const given = useRef(0)
  latest.current = ask
  const reload = () => setAsked(before => before + 1)

  useEffect(() => {
    let current = true
    const load = async () => {
      // Looking again in silence: nothing turns that nobody asked for.
      if (given.current !== wanted) setState('busy')
      try {
        const data: T[] = []
        let total = 0
        // The server gives so many at once at most.
        do {
          const part = await latest.current({ start: data.length, count: COUNT })
          data.push(...part.data)
          total = part.total
          if (part.data.length === 0) break
        } while (data.length < Math.min(wanted, total))
        if (!current) return
        given.current = wanted
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
  }, [wanted, asked])
  useEffect(() => {
    if (every === null) return
    const timer = setInterval(() => {
      if (document.visibilityState === 'visible') reload()
    }, every)
    return () => clearInterval(timer)
  }, [every])
  const items = page?.data ?? []
  return {
    items,
    total: page?.total ?? null,
    busy: state === 'busy',
    failed: state === 'failed',
    more: page !== null && items.length < page.total,
    next: () => setWanted(items.length + COUNT),
    reload
  }
}
