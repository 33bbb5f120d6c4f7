import type { JSX } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import { useLocation } from 'preact-iso'
import type { Video } from '../../../shared/videos.ts'
import { api } from '../api.ts'
import { isLoggedIn } from '../credentials.ts'
import { formatAge, formatDate, t } from '../i18n/i18n.ts'
import { RequireLogin } from '../page/require-login.tsx'
import { useTitle } from '../page/title.ts'
import { Button, ButtonLink, IconButton } from '../ui/button.tsx'
import { openConfirmDialog } from '../ui/dialog.tsx'
import { Menu } from '../ui/menu.tsx'
import { Badge, ErrorState, EmptyState } from '../ui/feedback.tsx'
import { Checkbox } from '../ui/field.tsx'
import { showToast } from '../ui/toast.tsx'
import { BulkActionBar, BulkActionReport, confirmAndDeleteVideos } from './bulk-action-bar.tsx'
import { currentBulkAction, onBulkVideoDone, type BulkAction } from './bulk-actions.ts'
import { CompactVideoCard } from './video-card.tsx'
import { privacyName } from './video-labels.ts'
import { ListItemTranscodingStatus } from './list-item-transcoding-status.tsx'
import { useSelection, type ListSelection } from './use-selection.ts'
import './my-videos.css'

/** The videos of the logged-in user, in every state. */
export default function MyVideosPage(): JSX.Element {
  useTitle(t('app.myVideos'))
  return (
    <RequireLogin>
      <VideoList />
    </RequireLogin>
  )
}

function VideoList(): JSX.Element {
  const [videos, setVideos] = useState<Video[]>([])
  const [total, setTotal] = useState<number | null>(null)
  const [failed, setFailed] = useState(false)
  const [busy, setBusy] = useState(false)
  const [search, setSearch] = useState('')
  const lastRequest = useRef(0)
  const selection = useSelection(videos.map(({ id }) => id))

  const load = async (start: number, searchText = search) => {
    const request = ++lastRequest.current
    setBusy(true)
    setFailed(false)
    try {
      const page = await api('GET /users/me/videos', {
        query: { start, sort: '-createdAt', ...(searchText.trim() ? { search: searchText.trim() } : {}) }
      })
      if (request !== lastRequest.current) return
      setVideos(before => (start === 0 ? page.data : [...before, ...page.data.filter(({ id }) => !before.some(video => video.id === id))]))
      setTotal(page.total ?? null)
    } catch {
      if (request === lastRequest.current) setFailed(true)
    } finally {
      if (request === lastRequest.current) setBusy(false)
    }
  }
  useEffect(() => {
    if (!isLoggedIn.peek()) return
    const timer = setTimeout(() => void load(0), search === '' ? 0 : 300)
    return () => clearTimeout(timer)
  }, [search])

  const applyBulkAction = (id: number, action: BulkAction) => {
    selection.choose(id, false, false)
    if (action.kind === 'delete') removeFromList(id)
    else setVideos(before => before.map(video => (video.id === id ? { ...video, privacy: { id: action.privacy, label: '' } } : video)))
  }
  const latestListener = useRef(applyBulkAction)
  latestListener.current = applyBulkAction
  useEffect(() => onBulkVideoDone((id, action) => latestListener.current(id, action)), [])

  // When every loaded video was removed, load the next ones.
  useEffect(() => {
    if (videos.length === 0 && (total ?? 0) > 0 && !busy) void load(0)
  }, [videos.length, total])

  const removeFromList = (id: number) => {
    setVideos(before => before.filter(video => video.id !== id))
    setTotal(before => (before === null ? null : before - 1))
  }
  const confirmAndDelete = async (video: Video) => {
    if (
      !(await openConfirmDialog({
        title: t('mine.deleteTitle'),
        text: t('mine.deleteText', { name: video.name }),
        yes: t('mine.deleteYes')
      }))
    )
      return
    try {
      await api('DELETE /videos/:id', { params: { id: video.id } })
      removeFromList(video.id)
      showToast(t('mine.deleted', { name: video.name }))
    } catch {
      showToast(t('ui.noConnection'), { bad: true })
    }
  }
  // Only on the checkboxes, where Escape and Delete have no other meaning.
  const handleKeyDown = (event: KeyboardEvent) => {
    if (!(event.target instanceof HTMLInputElement) || selection.ids.length === 0 || currentBulkAction.peek()?.running) return
    if (event.key === 'Escape') selection.chooseAll(false)
    if (event.key === 'Delete') void confirmAndDeleteVideos(videos.filter(({ id }) => selection.has(id)))
  }
  const isEmpty = total === 0 && !failed
  return (
    <div class="page">
      <div class="page-head">
        <h1>{t('app.myVideos')}</h1>
        <ButtonLink look="primary" icon="upload" href="/upload">
          {t('app.upload')}
        </ButtonLink>
      </div>
      {(!isEmpty || search !== '') && (
        <input
          class="input shelf-search"
          type="search"
          aria-label={t('mine.search')}
          placeholder={t('mine.search')}
          value={search}
          onInput={event => setSearch(event.currentTarget.value)}
        />
      )}
      {isEmpty && search === '' && (
        <EmptyState icon="film" title={t('mine.empty')}>
          <p>{t('mine.emptyText')}</p>
        </EmptyState>
      )}
      {isEmpty && search !== '' && <EmptyState icon="film" title={t('mine.nothingFound')} />}
      <BulkActionReport />
      {videos.length > 0 && <BulkActionBar selection={selection} videos={videos} />}
      <ul class="shelf" role="list" aria-busy={busy} onKeyDown={handleKeyDown}>
        {videos.map(video => (
          <li key={video.id}>
            <VideoListItem video={video} selection={selection} onDelete={() => void confirmAndDelete(video)} onDone={() => void load(0)} />
          </li>
        ))}
      </ul>
      {failed && <ErrorState text={t('ui.noConnection')} onRetry={() => void load(videos.length)} />}
      {!failed && total !== null && videos.length < total && (
        <div class="endless-end">
          <Button busy={busy} onClick={() => void load(videos.length)}>
            {t('mine.more')}
          </Button>
        </div>
      )}
    </div>
  )
}

function VideoListItem({
  video,
  selection,
  onDelete,
  onDone
}: {
  video: Video
  selection: ListSelection
  onDelete: () => void
  onDone: () => void
}): JSX.Element {
  const { route } = useLocation()
  const editPath = `/my/videos/${video.shortUUID}`
  const state = video.state?.id
  return (
    <div class={`shelf-line ${selection.has(video.id) ? 'shelf-chosen' : ''}`}>
      <Checkbox
        label={t('bulk.select', { name: video.name })}
        hidden
        checked={selection.has(video.id)}
        disabled={currentBulkAction.value?.running}
        onChecked={(on, { shiftKey }) => selection.choose(video.id, on, shiftKey)}
      />
      <CompactVideoCard video={video} heading="h2">
        <p class="row shelf-facts">
          <Badge kind={video.privacy.id === 1 ? 'accent' : 'plain'}>{privacyName(Number(video.privacy.id))}</Badge>
          {video.scheduledUpdate && (
            <Badge kind="warn">
              {t('mine.scheduled', { date: formatDate(video.scheduledUpdate.updateAt, { dateStyle: 'medium', timeStyle: 'short' }) })}
            </Badge>
          )}
          {state === 7 && <Badge kind="bad">{t('mine.failed')}</Badge>}
          <span class="soft small">{formatAge(video.createdAt)}</span>
        </p>
        <ListItemTranscodingStatus video={video} onDone={onDone} />
      </CompactVideoCard>
      <div class="shelf-actions">
        <ButtonLink class="shelf-edit" icon="edit" href={editPath} aria-label={t('mine.editOf', { name: video.name })}>
          {t('ui.edit')}
        </ButtonLink>
        <Menu
          label={t('mine.actions', { name: video.name })}
          trigger={props => <IconButton label={t('mine.actions', { name: video.name })} icon="more" {...props} />}
          items={[
            { kind: 'action', text: t('ui.edit'), icon: 'edit', act: () => route(editPath) },
            { kind: 'action', text: t('mine.deleteYes'), icon: 'trash', danger: true, act: onDelete }
          ]}
        />
      </div>
    </div>
  )
}
