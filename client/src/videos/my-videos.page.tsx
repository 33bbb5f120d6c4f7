import type { JSX } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import { useLocation } from 'preact-iso'
import type { Video } from '../../../shared/videos.ts'
import { api } from '../api.ts'
import { isLoggedIn } from '../credentials.ts'
import { formatAge, formatDate, t } from '../i18n/i18n.ts'
import { Members } from '../shell/members.tsx'
import { useTitle } from '../shell/title.ts'
import { Button, ButtonLink, IconButton } from '../ui/button.tsx'
import { confirm } from '../ui/dialog.tsx'
import { Menu } from '../ui/menu.tsx'
import { Badge, Failure, State } from '../ui/state.tsx'
import { toast } from '../ui/toast.tsx'
import { VideoRow } from './card.tsx'
import { privacyName } from './names.ts'
import { RowProgress } from './row-progress.tsx'
import './my-videos.css'

/** The own videos in every state. */
export default function MyVideos(): JSX.Element {
  useTitle(t('shell.myVideos'))
  return <Members><Shelf /></Members>
}

function Shelf(): JSX.Element {
  const [videos, setVideos] = useState<Video[]>([])
  const [total, setTotal] = useState<number | null>(null)
  const [failed, setFailed] = useState(false)
  const [busy, setBusy] = useState(false)
  const [search, setSearch] = useState('')
  const asked = useRef(0)

  const load = async (start: number, wanted = search) => {
    const mine = ++asked.current
    setBusy(true)
    setFailed(false)
    try {
      const page = await api('GET /users/me/videos', { query: { start, sort: '-createdAt', ...(wanted.trim() ? { search: wanted.trim() } : {}) } })
      if (mine !== asked.current) return
      setVideos(before => start === 0 ? page.data : [...before, ...page.data.filter(({ id }) => !before.some(known => known.id === id))])
      setTotal(page.total)
    } catch { if (mine === asked.current) setFailed(true) } finally { if (mine === asked.current) setBusy(false) }
  }
  useEffect(() => {
    if (!isLoggedIn.peek()) return
    const timer = setTimeout(() => void load(0), search === '' ? 0 : 300)
    return () => clearTimeout(timer)
  }, [search])

  const remove = async (video: Video) => {
    if (!await confirm({ title: t('mine.deleteTitle'), text: t('mine.deleteText', { name: video.name }), yes: t('mine.deleteYes') })) return
    try {
      await api('DELETE /videos/:id', { params: { id: video.id } })
      setVideos(before => before.filter(({ id }) => id !== video.id))
      setTotal(before => before === null ? null : before - 1)
      toast(t('mine.deleted', { name: video.name }))
    } catch { toast(t('ui.noConnection'), { bad: true }) }
  }
  const nothing = total === 0 && !failed
  return (
    <div class="page">
      <div class="page-head">
        <h1>{t('shell.myVideos')}</h1>
        <ButtonLink look="primary" icon="upload" href="/upload">{t('shell.upload')}</ButtonLink>
      </div>
      {(!nothing || search !== '') && <input class="input shelf-search" type="search" aria-label={t('mine.search')} placeholder={t('mine.search')} value={search} onInput={event => setSearch(event.currentTarget.value)} />}
      {nothing && search === '' && <State icon="film" title={t('mine.empty')}><p>{t('mine.emptyText')}</p></State>}
      {nothing && search !== '' && <State icon="film" title={t('mine.nothingFound')} />}
      <ul class="shelf" role="list" aria-busy={busy}>{videos.map(video => <li key={video.id}><Line video={video} onDelete={() => void remove(video)} onDone={() => void load(0)} /></li>)}</ul>
      {failed && <Failure text={t('ui.noConnection')} onRetry={() => void load(videos.length)} />}
      {!failed && total !== null && videos.length < total && <div class="endless-end"><Button busy={busy} onClick={() => void load(videos.length)}>{t('mine.more')}</Button></div>}
    </div>
  )
}

function Line({ video, onDelete, onDone }: { video: Video, onDelete: () => void, onDone: () => void }): JSX.Element {
  const { route } = useLocation()
  const edit = `/my/videos/${video.shortUUID}`
  const state = video.state?.id
  return (
    <div class="shelf-line">
      <VideoRow video={video} heading="h2">
        <p class="row shelf-facts">
          <Badge kind={video.privacy.id === 1 ? 'accent' : 'plain'}>{privacyName(Number(video.privacy.id))}</Badge>
          {video.scheduledUpdate && <Badge kind="warn">{t('mine.scheduled', { date: formatDate(video.scheduledUpdate.updateAt, { dateStyle: 'medium', timeStyle: 'short' }) })}</Badge>}
          {state === 7 && <Badge kind="bad">{t('mine.failed')}</Badge>}
          <span class="soft small">{formatAge(video.createdAt)}</span>
        </p>
        <RowProgress video={video} onDone={onDone} />
      </VideoRow>
      <div class="shelf-actions">
        <ButtonLink class="shelf-edit" icon="edit" href={edit} aria-label={t('mine.editOf', { name: video.name })}>{t('ui.edit')}</ButtonLink>
        <Menu label={t('mine.actions', { name: video.name })} trigger={props => <IconButton label={t('mine.actions', { name: video.name })} icon="more" {...props} />} items={[
          { kind: 'action', text: t('ui.edit'), icon: 'edit', act: () => route(edit) },
          { kind: 'action', text: t('mine.deleteYes'), icon: 'trash', danger: true, act: onDelete }
        ]} />
      </div>
    </div>
  )
}
