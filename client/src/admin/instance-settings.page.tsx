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
import { InstanceImages } from './instance-images.tsx'
import { SignupSettingsFields, InstanceInformationFields, TranscodingSettingsFields } from './instance-settings-fields.tsx'
import { changedInstanceSettings, toInstanceSettingsForm, invalidInstanceSettings } from './instance-settings-form.ts'
import './instance-settings.css'

/** The settings of the instance that administrators change most often: name and texts, signup, quotas, transcoding. */
export default function InstanceSettingsPage(): JSX.Element {
  return (
    <AdminPage section="settings">
      {() => (
        <div class="site-settings">
          <InstanceImages />
          <LoadedSettings />
        </div>
      )}
    </AdminPage>
  )
}

function LoadedSettings(): JSX.Element {
  const { data, error, reload, change } = useQuery('GET /config/custom', {})
  if (!data) return error ? <ErrorState text={apiErrorText(error)} onRetry={reload} /> : <div aria-busy="true" />
  // The key makes a new form whenever the server returns other settings.
  return <SettingsForm key={JSON.stringify(data)} config={data} onChange={change} />
}

function SettingsForm({ config, onChange }: { config: CustomConfig; onChange: (next: CustomConfig) => void }): JSX.Element {
  const before = toInstanceSettingsForm(config)
  const [form, setForm] = useState(before)
  const [invalidFields, setInvalidFields] = useState<ReturnType<typeof invalidInstanceSettings>>([])
  const [busy, setBusy] = useState(false)
  const [problem, setProblem] = useState<string | null>(null)
  const body = changedInstanceSettings(before, form)
  const changed = Object.keys(body).length > 0
  const editingForbidden = instanceConfig.value?.webadmin.configuration.edition.allowed === false

  const submit = async (request: () => Promise<CustomConfig>, successText: string) => {
    if (busy) return
    setBusy(true)
    setProblem(null)
    try {
      const next = await request()
      await reloadInstanceConfig().catch(() => {
        /* the next page load fetches it */
      })
      showToast(successText)
      onChange(next)
    } catch (error) {
      setProblem(apiErrorText(error))
    } finally {
      setBusy(false)
    }
  }
  const save = async (event: Event) => {
    event.preventDefault()
    const invalid = invalidInstanceSettings(form)
    setInvalidFields(invalid)
    if (invalid.length > 0) setProblem(t('edit.check'))
    else await submit(async () => await api('PATCH /config/custom', { body }), t('settings.saved'))
  }
  const resetSettings = async () => {
    if (await openConfirmDialog({ title: t('site.forgetTitle'), text: t('site.forgetText'), yes: t('site.forget') }))
      await submit(async () => await api('DELETE /config/custom'), t('site.forgotten'))
  }
  const fieldsProps = { form, invalidFields, change: (changes: Partial<typeof form>) => setForm({ ...form, ...changes }) }
  return (
    <form class="site-form" onSubmit={event => void save(event)} noValidate>
      {editingForbidden && <Notice kind="info">{t('site.closed')}</Notice>}
      <fieldset class="site-parts" disabled={editingForbidden}>
        <InstanceInformationFields {...fieldsProps} />
        <SignupSettingsFields {...fieldsProps} />
        <TranscodingSettingsFields {...fieldsProps} />
      </fieldset>
      {!editingForbidden && (
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
            <Button class="site-forget" look="quiet" busy={busy} onClick={() => void resetSettings()}>
              {t('site.forget')}
            </Button>
          </div>
        </div>
      )}
    </form>
  )
}
