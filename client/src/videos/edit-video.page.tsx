import type { JSX } from 'preact'
import { useRoute } from 'preact-iso'
import { isMissing } from '../api-error.ts'
import { t } from '../i18n/i18n.ts'
import { Members } from '../shell/require-login.tsx'
import { useTitle } from '../shell/title.ts'
import { ButtonLink } from '../ui/button.tsx'
import { Failure, State } from '../ui/feedback.tsx'
import { useAnswer } from '../use-query.ts'
import { EditForm } from './video-edit-form.tsx'

/** Everything that can be changed about an own video. */
export default function Edit(): JSX.Element {
  useTitle(t('edit.name'))
  return (
    <Members>
      <Room />
    </Members>
  )
}

function Room(): JSX.Element {
  const {
    params: { id = '' }
  } = useRoute()
  const { data: video, error, reload } = useAnswer('GET /videos/:id', { params: { id } })
  const {
    data: passwords,
    error: notMine,
    loading
  } = useAnswer('GET /videos/:id/passwords', video ? { params: { id: video.uuid }, query: { count: 100 } } : null)
  if (isMissing(error))
    return (
      <div class="page">
        <State heading="h1" icon="film" title={t('barrier.missing')}>
          <ButtonLink href="/my/videos">{t('shell.myVideos')}</ButtonLink>
        </State>
      </div>
    )
  if (notMine)
    return (
      <div class="page">
        <State heading="h1" icon="lock" title={t('edit.notMine')}>
          <ButtonLink href="/my/videos">{t('shell.myVideos')}</ButtonLink>
        </State>
      </div>
    )
  if (error)
    return (
      <div class="page">
        <Failure text={t('ui.noConnection')} onRetry={reload} />
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
      <EditForm key={video.uuid} video={video} passwords={passwords?.data.map(({ password }) => password) ?? []} onSaved={reload} />
    </div>
  )
}
