import type { JSX } from 'preact'
import { lazy, useRoute } from 'preact-iso'
import { isNotFoundError } from '../api-error.ts'
import { loadTextGroup, t } from '../i18n/i18n.ts'
import { currentUser } from '../session.ts'
import { RequireLogin } from '../page/require-login.tsx'
import { useTitle } from '../page/title.ts'
import { ButtonLink } from '../ui/button.tsx'
import { ErrorState, EmptyState } from '../ui/feedback.tsx'
import { useQuery } from '../use-query.ts'
import { TruncationNotice } from './truncation-notice.tsx'
import { VideoCaptions } from './video-captions.tsx'
import { VideoEditForm } from './video-edit-form.tsx'

const ADMINISTRATOR_ROLE_ID = 0
/** With the texts of the administration, which only administrators load. */
const VideoFiles = lazy(async () => (await Promise.all([import('./video-files.tsx'), loadTextGroup('admin')]))[0])

/** The page that edits or deletes one of the user's videos. */
export default function EditVideoPage(): JSX.Element {
  useTitle(t('edit.name'))
  return (
    <RequireLogin>
      <EditVideoContent />
    </RequireLogin>
  )
}

function EditVideoContent(): JSX.Element {
  const {
    params: { id = '' }
  } = useRoute()
  const { data: video, error, reload } = useQuery('GET /videos/:id', { params: { id } })
  const {
    data: passwords,
    error: passwordsError,
    loading
  } = useQuery('GET /videos/:id/passwords', video ? { params: { id: video.uuid }, query: { count: 100 } } : null)
  const { data: transcoding } = useQuery('GET /videos/:id/transcoding', video && passwords ? { params: { id: video.uuid } } : null)
  if (isNotFoundError(error))
    return (
      <div class="page">
        <EmptyState heading="h1" icon="film" title={t('unavailable.missing')}>
          <ButtonLink href="/my/videos">{t('app.myVideos')}</ButtonLink>
        </EmptyState>
      </div>
    )
  if (passwordsError)
    return (
      <div class="page">
        <EmptyState heading="h1" icon="lock" title={t('edit.notMine')}>
          <ButtonLink href="/my/videos">{t('app.myVideos')}</ButtonLink>
        </EmptyState>
      </div>
    )
  if (error)
    return (
      <div class="page">
        <ErrorState text={t('ui.noConnection')} onRetry={reload} />
      </div>
    )
  if (!video || loading) return <div class="page" aria-busy="true" />
  return (
    <div class="page page-narrow">
      <div class="page-head">
        <h1>{t('edit.name')}</h1>
        <ButtonLink icon="play" href={`/w/${video.shortUUID}`}>
          {t('edit.watch')}
        </ButtonLink>
      </div>
      {transcoding && transcoding.truncatedAt !== null && (
        <div class="edit-truncation">
          <TruncationNotice truncatedAt={transcoding.truncatedAt} />
        </div>
      )}
      <VideoEditForm key={video.uuid} video={video} passwords={passwords?.data.map(({ password }) => password) ?? []} onSaved={reload} />
      <VideoCaptions id={video.uuid} />
      {currentUser.value?.role.id === ADMINISTRATOR_ROLE_ID && <VideoFiles video={video} onChange={reload} />}
    </div>
  )
}
