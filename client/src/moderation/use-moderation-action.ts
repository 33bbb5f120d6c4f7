import { useState } from 'preact/hooks'
import { isNotFoundError } from '../api-error.ts'
import { t } from '../i18n/i18n.ts'
import { showToast } from '../ui/toast.tsx'

/** Runs requests of a moderator, one at a time, and says how each ended; what another moderator has done already is no error. */
export function useModerationAction(onChange: () => void): {
  busy: boolean
  runAction: (request: () => Promise<unknown>, successText: string) => Promise<void>
} {
  const [busy, setBusy] = useState(false)
  const runAction = async (request: () => Promise<unknown>, successText: string) => {
    setBusy(true)
    try {
      await request().catch((error: unknown) => {
        if (!isNotFoundError(error)) throw error
      })
      showToast(successText)
      onChange()
    } catch {
      showToast(t('ui.noConnection'), { bad: true })
    } finally {
      setBusy(false)
    }
  }
  return { busy, runAction }
}
