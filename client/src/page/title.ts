import { useEffect } from 'preact/hooks'
import { instanceConfig } from '../instance/config.ts'

/** Sets the document title to the title of the page and the name of the instance; null leaves it unchanged. */
export function useTitle(title: string | null): void {
  const instanceName = instanceConfig.value?.instance.name ?? 'Bobine'
  useEffect(() => {
    if (title !== null) document.title = title === '' ? instanceName : `${title} · ${instanceName}`
  }, [title, instanceName])
}
