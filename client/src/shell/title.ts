import { useEffect } from 'preact/hooks'
import { instanceConfig } from '../instance/config.ts'

/** Names the page in the browser's tab; null while the name is not known yet. */
export function useTitle(title: string | null): void {
  const site = instanceConfig.value?.instance.name ?? 'Bobine'
  useEffect(() => {
    if (title !== null) document.title = title === '' ? site : `${title} · ${site}`
  }, [title, site])
}
