import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import type { CustomConfig } from '../../../shared/administration.ts'
import { api } from '../api.ts'
import { t } from '../i18n/i18n.ts'
import { instanceConfig, reloadInstanceConfig } from '../instance/config.ts'
import { apiErrorText } from '../api-error-text.ts'
import { Button } from '../ui/button.tsx'
import { openConfirmDialog } from '../ui/dialog.tsx'
import { ErrorState, Notice } from '../ui/feedback.tsx'
import { showToast } from '../ui/toast.tsx'
import { useQuery } from '../use-query.ts'
import { AdminPage } from './admin-page.tsx'
import { SignupSettingsFields, InstanceInformationFields, TranscodingSettingsFields } from './instance-settings-fields.tsx'
import { changedInstanceSettings, toInstanceSettingsForm, invalidInstanceSettings } from './instance-settings-form.ts'
import './instance-settings.css'

/** What an administrator sets most often: the site's name and words, who may sign up, how much room there is, what is encoded. */
export default function SitePage(): JSX.Element {
  return <AdminPage room="settings">{() => <Loaded />}</AdminPage>
}

function Loaded(): JSX.Element {
  const { data, error, reload, change } = useQuery('GET /config/custom', {})
  if (!data) return error ? <ErrorState text={apiErrorText(error)} onRetry={reload} /> : <div aria-busy="true" />
  // New fields for whatever the server says now.
  return <SettingsForm key={JSON.stringify(data)} now={data} onChange={change} />
}

function SettingsForm({ now, onChange }: { now: CustomConfig; onChange: (next: CustomConfig) => void }): JSX.Element {
  const before = toInstanceSettingsForm(now)
  const [form, setForm] = useState(before)
  const [shown, setShown] = useState<ReturnType<typeof invalidInstanceSettings>>([])
  const [busy, setBusy] = useState(false)
  const [problem, setProblem] = useState<string | null>(null)
  const body = changedInstanceSettings(before, form)
  const changed = Object.keys(body).length > 0
  const closed = instanceConfig.value?.webadmin.configuration.edition.allowed === false

  const send = async (act: () => Promise<CustomConfig>, done: string) => {
    if (busy) return
    setBusy(true)
    setProblem(null)
    try {
      const next = await act()
      await reloadInstanceConfig().catch(() => {
        /* the next page has it */
      })
      showToast(done)
      onChange(next)
    } catch (error) {
      setProblem(apiErrorText(error))
    } finally {
      setBusy(false)
    }
  }
  const save = async (event: Event) => {
    event.preventDefault()
    const wrong = invalidInstanceSettings(form)
    setShown(wrong)
    if (wrong.length > 0) setProblem(t('edit.check'))
    else await send(async () => await api('PUT /config/custom', { body }), t('settings.saved'))
  }
  const forget = async () => {
    if (await openConfirmDialog({ title: t('site.forgetTitle'), text: t('site.forgetText'), yes: t('site.forget') }))
      await send(async () => await api('DELETE /config/custom'), t('site.forgotten'))
  }
  const parts = { form, wrong: shown, change: (part: Partial<typeof form>) => setForm({ ...form, ...part }) }
  return (
    <form class="site-form" onSubmit={event => void save(event)} noValidate>
      {closed && <Notice kind="info">{t('site.closed')}</Notice>}
      <fieldset class="site-parts" disabled={closed}>
        <InstanceInformationFields {...parts} />
        <SignupSettingsFields {...parts} />
        <TranscodingSettingsFields {...parts} />
      </fieldset>
      {!closed && (
        <div class="site-foot">
          {problem && <Notice kind="bad">{problem}</Notice>}
          <div class="form-foot">
            <Button look="primary" type="submit" busy={busy} disabled={!changed}>
              {t('ui.save')}
            </Button>
            {changed && (
              <span class="soft" role="status">
                {t('edit.unsaved')}
              </span>
            )}
            <Button class="site-forget" look="quiet" busy={busy} onClick={() => void forget()}>
              {t('site.forget')}
            </Button>
          </div>
        </div>
      )}
    </form>
  )
}
