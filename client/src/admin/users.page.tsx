import type { JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import type { User } from '../../../shared/accounts.ts'
import { api } from '../api.ts'
import { t } from '../i18n/i18n.ts'
import { Button } from '../ui/button.tsx'
import { Select } from '../ui/field.tsx'
import { ErrorState, EmptyState } from '../ui/feedback.tsx'
import { useList } from '../use-list.ts'
import { AdminPage } from './admin-page.tsx'
import { UserForm } from './user-form.tsx'
import { UserListItem } from './user-list-item.tsx'
import './users.css'

type Order = '-createdAt' | 'createdAt' | 'username' | '-videoQuotaUsed' | '-lastLoginDate' | 'role'
const ORDERS = {
  '-createdAt': 'users.newest',
  createdAt: 'users.oldest',
  username: 'users.byName',
  '-videoQuotaUsed': 'users.bySpace',
  '-lastLoginDate': 'users.byLogin',
  role: 'users.byRole'
} as const
const PAUSE = 300

/** Everybody who has an account here. For administrators; moderators see everybody and manage ordinary users. */
export default function UsersPage(): JSX.Element {
  const [creating, setCreating] = useState(false)
  const [made, setMade] = useState(0)
  return (
    <AdminPage
      room="users"
      acts={
        <Button look="primary" icon="plus" onClick={() => setCreating(true)}>
          {t('users.create')}
        </Button>
      }
    >
      {viewer => (
        <>
          <Users key={made} viewer={viewer} />
          {creating && (
            <UserForm
              viewer={viewer}
              user={null}
              onClose={() => setCreating(false)}
              onDone={() => {
                setCreating(false)
                setMade(made + 1)
              }}
            />
          )}
        </>
      )}
    </AdminPage>
  )
}

function Users({ viewer }: { viewer: User }): JSX.Element {
  const [words, setWords] = useState('')
  const [search, setSearch] = useState('')
  const [sort, setSort] = useState<Order>('-createdAt')
  const [shown, setShown] = useState<'all' | 'blocked'>('all')
  useEffect(() => {
    const timer = setTimeout(() => setSearch(words.trim()), words === '' ? 0 : PAUSE)
    return () => clearTimeout(timer)
  }, [words])
  return (
    <>
      <div class="users-filters">
        <input
          class="input"
          type="search"
          aria-label={t('users.search')}
          placeholder={t('users.search')}
          maxLength={200}
          value={words}
          onInput={event => setWords(event.currentTarget.value)}
        />
        <Select
          label={t('users.sort')}
          value={sort}
          options={Object.entries(ORDERS).map(([order, name]) => [order, t(name)])}
          onText={order => setSort(order as Order)}
        />
        <Select
          label={t('users.show')}
          value={shown}
          options={[
            ['all', t('users.all')],
            ['blocked', t('users.onlyBlocked')]
          ]}
          onText={one => setShown(one as typeof shown)}
        />
      </div>
      <List
        key={`${search} ${sort} ${shown}`}
        viewer={viewer}
        query={{ sort, ...(search ? { search } : {}), ...(shown === 'blocked' ? { blocked: true } : {}) }}
      />
    </>
  )
}

function List({ viewer, query }: { viewer: User; query: { sort: Order; search?: string; blocked?: boolean } }): JSX.Element {
  const { items, total, busy, failed, more, next, reload } = useList<User>(
    async part => await api('GET /users', { query: { ...part, ...query } }),
    null
  )
  return (
    <div aria-busy={busy}>
      {total !== null && total > 0 && (
        <p class="soft small users-total" role="status">
          {t('users.count', { count: total })}
        </p>
      )}
      {items.length > 0 && (
        <ul class="users" role="list">
          {items.map(user => (
            <UserListItem key={user.id} viewer={viewer} user={user} onChange={reload} />
          ))}
        </ul>
      )}
      {total === 0 && <EmptyState icon="user" title={t('users.none')} />}
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
