import type { ComponentChildren, JSX } from 'preact'
import { t } from '../i18n/i18n.ts'
import { Button } from '../ui/button.tsx'
import { ErrorState } from '../ui/feedback.tsx'
import type { ListState } from '../use-list.ts'

/** A list of the administration that grows by a button: its entries, or what there is to say where it is empty or could not be loaded. */
export function PagedList<T>({
  list: { items, total, busy, failed, more, next, reload },
  look,
  emptyText,
  children
}: {
  list: ListState<T>
  look: string
  emptyText: string
  children: (item: T) => ComponentChildren
}): JSX.Element {
  return (
    <div aria-busy={busy}>
      {items.length > 0 && (
        <ul class={look} role="list">
          {items.map(children)}
        </ul>
      )}
      {total === 0 && <p class="soft">{emptyText}</p>}
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
