import type { JSX } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import { api, type ApiResponse } from '../api.ts'
import { t } from '../i18n/i18n.ts'

/** So often the server is asked how far it is. */
const PAUSE = 2000

/** How many videos of a remote channel are here while the rest comes; `onMore` when some came. */
export function CrawlProgress({ handle, onMore }: { handle: string; onMore: () => void }): JSX.Element | null {
  const [state, setState] = useState<ApiResponse<'GET /video-channels/:channelHandle/reading'> | null>(null)
  const known = useRef<number | null>(null)
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined
    let over = false
    const ask = async () => {
      const next = await api('GET /video-channels/:channelHandle/reading', { params: { channelHandle: handle } }).catch(() => null)
      if (over || !next) return
      setState(next)
      if (known.current !== null && next.known > known.current) onMore()
      known.current = next.known
      if (next.reading) timer = setTimeout(() => void ask(), PAUSE)
    }
    void ask()
    return () => {
      over = true
      clearTimeout(timer)
    }
  }, [handle])
  if (!state?.reading || state.total === null || state.known >= state.total) return null
  return (
    <p class="soft" role="status">
      {t('channel.reading', { known: String(state.known), total: String(state.total) })}
    </p>
  )
}
