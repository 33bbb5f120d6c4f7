import type { ComponentChildren, JSX } from 'preact'
import { t } from '../i18n/i18n.ts'
import { apiErrorText } from '../api-error-text.ts'
import { Button } from '../ui/button.tsx'
import { ErrorState } from '../ui/feedback.tsx'
import { showToast } from '../ui/toast.tsx'
import type { useList } from '../use-list.ts'

/** A paginated list of servers or follows; shows `empty` when there are none, an error state when loading failed. */
export function FederationList<T>({
  list,
  empty,
  children
}: {
  list: ReturnType<typeof useList<T>>
  empty: string
  children: (item: T) => JSX.Element
}): JSX.Element {
  const { items, total, busy, failed, more, next, reload } = list
  return (
    <div aria-busy={busy}>
      {items.length > 0 && (
        <ul class="servers" role="list">
          {items.map(children)}
        </ul>
      )}
      {total === 0 && <p class="soft">{empty}</p>}
      {failed && <ErrorState text={t('ui.noConnection')} onRetry={reload} />}
      {!failed && more && (
        <div class="endless-end">
          <Button busy={busy} onClick={next}>
            {t('mine.more')}
          </Button>
        </div>
      )}
    </div>
  )
}

/** An item of a `FederationList`; `children` are its actions. */
export function FederationListItem({
  name,
  state,
  facts,
  children
}: {
  name: string
  state: ComponentChildren
  facts?: ComponentChildren
  children: ComponentChildren
}): JSX.Element {
  return (
    <li class="server">
      <div class="server-words">
        <p class="server-name">
          <strong>{name}</strong>
          {state}
        </p>
        {facts}
      </div>
      <div class="server-acts">{children}</div>
    </li>
  )
}

/** Runs an action and shows a toast: `successText`, or the text of the error. Never throws. */
export async function runActionWithToast(action: () => Promise<unknown>, successText: string): Promise<void> {
  try {
    await action()
    showToast(successText)
  } catch (error) {
    showToast(apiErrorText(error), { bad: true })
  }
}
