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

type UserSort = '-createdAt' | 'createdAt' | 'username' | '-videoQuotaUsed' | '-lastLoginDate' | 'role'
const USER_SORT_TEXTS = {
  '-createdAt': 'users.newest',
  createdAt: 'users.oldest',
  username: 'users.byName',
  '-videoQuotaUsed': 'users.bySpace',
  '-lastLoginDate': 'users.byLogin',
  role: 'users.byRole'
} as const
/** Milliseconds without input before the search starts. */
const SEARCH_DELAY = 300

/** The users of the instance. Administrators manage all of them; moderators see all and manage those with the role `user`. */
export default function UsersPage(): JSX.Element {
  const [creating, setCreating] = useState(false)
  const [createdCount, setCreatedCount] = useState(0)
  return (
    <AdminPage
      section="users"
      actions={
        <Button look="primary" icon="plus" onClick={() => setCreating(true)}>
          {t('users.create')}
        </Button>
      }
    >
      {viewer => (
        <>
          <FilteredUserList key={createdCount} viewer={viewer} />
          {creating && (
            <UserForm
              viewer={viewer}
              user={null}
              onClose={() => setCreating(false)}
              onDone={() => {
                setCreating(false)
                setCreatedCount(createdCount + 1)
              }}
            />
          )}
        </>
      )}
    </AdminPage>
  )
}

function FilteredUserList({ viewer }: { viewer: User }): JSX.Element {
  const [searchText, setSearchText] = useState('')
  const [search, setSearch] = useState('')
  const [sort, setSort] = useState<UserSort>('-createdAt')
  const [filter, setFilter] = useState<'all' | 'blocked'>('all')
  useEffect(() => {
    const timer = setTimeout(() => setSearch(searchText.trim()), searchText === '' ? 0 : SEARCH_DELAY)
    return () => clearTimeout(timer)
  }, [searchText])
  return (
    <>
      <div class="users-filters">
        <input
          class="input"
          type="search"
          aria-label={t('users.search')}
          placeholder={t('users.search')}
          maxLength={200}
          value={searchText}
          onInput={event => setSearchText(event.currentTarget.value)}
        />
        <Select
          label={t('users.sort')}
          value={sort}
          options={Object.entries(USER_SORT_TEXTS).map(([id, name]) => [id, t(name)])}
          onText={value => setSort(value as UserSort)}
        />
        <Select
          label={t('users.show')}
          value={filter}
          options={[
            ['all', t('users.all')],
            ['blocked', t('users.onlyBlocked')]
          ]}
          onText={value => setFilter(value as typeof filter)}
        />
      </div>
      <UserList
        key={`${search} ${sort} ${filter}`}
        viewer={viewer}
        query={{ sort, ...(search ? { search } : {}), ...(filter === 'blocked' ? { blocked: true } : {}) }}
      />
    </>
  )
}

function UserList({ viewer, query }: { viewer: User; query: { sort: UserSort; search?: string; blocked?: boolean } }): JSX.Element {
  const { items, total, busy, failed, more, next, reload } = useList<User>(
    async range => await api('GET /users', { query: { ...range, ...query } }),
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
