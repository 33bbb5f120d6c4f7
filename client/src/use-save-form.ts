import { useEffect, useState } from 'preact/hooks'
import { toApiError, type ApiError } from './api-error.ts'

/**
 * The state of a form that is saved by `save`: clean, changed or busy, and the error of the last attempt. The browser asks for confirmation
 * before a page with unsaved changes is left.
 */
export function useSaveForm(save: () => Promise<void>) {
  const [state, setState] = useState<'clean' | 'changed' | 'busy'>('clean')
  const [problem, setProblem] = useState<ApiError | null>(null)
  useEffect(() => {
    if (state !== 'changed') return
    const confirmLeaving = (event: BeforeUnloadEvent) => event.preventDefault()
    addEventListener('beforeunload', confirmLeaving)
    return () => removeEventListener('beforeunload', confirmLeaving)
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
