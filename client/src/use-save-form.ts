import { useEffect, useState } from 'preact/hooks'
import { toApiError, type ApiError } from './api-error.ts'

/**
 * A form that is saved: whether it is as it is stored, and why the last try was refused. Whoever leaves the page with changes is asked
 * first.
 */
export function useSaveForm(save: () => Promise<void>) {
  const [state, setState] = useState<'clean' | 'changed' | 'busy'>('clean')
  const [problem, setProblem] = useState<ApiError | null>(null)
  useEffect(() => {
    if (state !== 'changed') return
    const warn = (event: BeforeUnloadEvent) => event.preventDefault()
    addEventListener('beforeunload', warn)
    return () => removeEventListener('beforeunload', warn)
  }, [state])

  const submit = async (event: Event) => {
    event.preventDefault()
    if (state === 'busy') return
    setState('busy')
    setProblem(null)
    try {
      await save()
      setState('clean')
    } catch (error) {
      setProblem(toApiError(error))
      setState('changed')
    }
  }
  return { state, problem, changed: () => setState('changed'), submit }
}
