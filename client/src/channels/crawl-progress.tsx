import type { JSX } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import { api, type ApiResponse } from '../api.ts'
import { t } from '../i18n/i18n.ts'

/** Milliseconds between two requests for the progress. */
const POLL_INTERVAL = 2000

/** The progress of the crawl of a remote channel: videos stored of videos announced; `onNewVideos` is called when more were stored. */
export function CrawlProgress({ handle, onNewVideos }: { handle: string; onNewVideos: () => void }): JSX.Element | null {
  const [status, setStatus] = useState<ApiResponse<'GET /video-channels/:channelHandle/reading'> | null>(null)
  const knownCount = useRef<number | null>(null)
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined
    let cancelled = false
    const poll = async () => {
      const latest = await api('GET /video-channels/:channelHandle/reading', { params: { channelHandle: handle } }).catch(() => null)
      if (cancelled || !latest) return
      setStatus(latest)
      if (knownCount.current !== null && latest.known > knownCount.current) onNewVideos()
      knownCount.current = latest.known
      if (latest.reading) timer = setTimeout(() => void poll(), POLL_INTERVAL)
    }
    void poll()
    return () => {
      cancelled = true
      clearTimeout(timer)
    }
  }, [handle])
  if (!status?.reading || status.total === null || status.known >= status.total) return null
  return (
    <p class="soft" role="status">
      {t('channel.reading', { known: String(status.known), total: String(status.total) })}
    </p>
  )
}
