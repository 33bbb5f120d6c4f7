import type { JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import type { ModeratedComment } from '../../../shared/comments.ts'
import { AdminPage } from '../admin/admin-page.tsx'
import { PagedList } from '../admin/paged-list.tsx'
import { api } from '../api.ts'
import { t } from '../i18n/i18n.ts'
import { Select } from '../ui/field.tsx'
import { useList } from '../use-list.ts'
import { CommentListItem } from './comment-list-item.tsx'
import '../comments/comments.css'
import './reports.css'
import './comments.css'

/** Milliseconds without input before the search starts. */
const SEARCH_DELAY = 300
type Origin = 'all' | 'local' | 'remote'

/** The comments of this and other servers for the moderators, to find and to delete. */
export default function CommentsPage(): JSX.Element {
  return <AdminPage section="comments">{() => <FilteredCommentList />}</AdminPage>
}

function FilteredCommentList(): JSX.Element {
  const [searchText, setSearchText] = useState('')
  const [search, setSearch] = useState('')
  const [origin, setOrigin] = useState<Origin>('all')
  useEffect(() => {
    const timer = setTimeout(() => setSearch(searchText.trim()), searchText === '' ? 0 : SEARCH_DELAY)
    return () => clearTimeout(timer)
  }, [searchText])
  return (
    <>
      <div class="comment-filters">
        <input
          class="input"
          type="search"
          aria-label={t('moderation.search')}
          placeholder={t('moderation.search')}
          maxLength={200}
          value={searchText}
          onInput={event => setSearchText(event.currentTarget.value)}
        />
        <Select
          label={t('moderation.origin')}
          value={origin}
          options={[
            ['all', t('moderation.all')],
            ['local', t('moderation.local')],
            ['remote', t('moderation.remote')]
          ]}
          onText={value => setOrigin(value as Origin)}
        />
      </div>
      <CommentList
        key={`${origin} ${search}`}
        query={{ ...(search ? { search } : {}), ...(origin === 'all' ? {} : { isLocal: origin === 'local' }) }}
      />
    </>
  )
}

function CommentList({ query }: { query: { search?: string; isLocal?: boolean } }): JSX.Element {
  const list = useList<ModeratedComment>(
    async range => await api('GET /videos/comments', { query: { ...range, ...query, sort: '-createdAt' } }),
    null
  )
  return (
    <PagedList list={list} look="reports" emptyText={t('moderation.none')}>
      {comment => <CommentListItem key={comment.id} comment={comment} onChange={list.reload} />}
    </PagedList>
  )
}
