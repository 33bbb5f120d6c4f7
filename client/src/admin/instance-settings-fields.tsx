import type { ComponentChildren, JSX } from 'preact'
import { t } from '../i18n/i18n.ts'
import { Select, Switch, TextArea, TextField } from '../ui/field.tsx'
import { useQuery } from '../use-query.ts'
import { QuotaFields } from './quota-fields.tsx'
import { encoderName } from './encoder-name.ts'
import { TRANSCODING_RESOLUTIONS, type InstanceSettingsForm } from './instance-settings-form.ts'

type SettingsFieldsProps = {
  form: InstanceSettingsForm
  invalidFields: (keyof InstanceSettingsForm)[]
  change: (changes: Partial<InstanceSettingsForm>) => void
}

/** The name of the instance and its texts. */
export function InstanceInformationFields({ form, invalidFields, change }: SettingsFieldsProps): JSX.Element {
  return (
    <Section title={t('site.words')}>
      <TextField
        label={t('site.title')}
        error={invalidFields.includes('name') ? t('site.titleError') : null}
        required
        maxLength={100}
        value={form.name}
        onText={name => change({ name })}
      />
      <TextField
        label={t('site.short')}
        hint={t('site.shortHint')}
        maxLength={500}
        value={form.shortDescription}
        onText={shortDescription => change({ shortDescription })}
      />
      <TextArea
        label={t('video.description')}
        hint={t('video.markdown')}
        value={form.description}
        onText={description => change({ description })}
      />
      <TextArea label={t('about.terms')} hint={t('video.markdown')} value={form.terms} onText={terms => change({ terms })} />
      <TextArea
        label={t('about.conduct')}
        hint={t('video.markdown')}
        value={form.codeOfConduct}
        onText={codeOfConduct => change({ codeOfConduct })}
      />
      <TextArea
        label={t('about.administrator')}
        hint={t('video.markdown')}
        rows={3}
        value={form.administrator}
        onText={administrator => change({ administrator })}
      />
      <TextArea
        label={t('about.moderation')}
        hint={t('video.markdown')}
        rows={3}
        value={form.moderationInformation}
        onText={moderationInformation => change({ moderationInformation })}
      />
    </Section>
  )
}

/** Signup and the default quotas of new users. */
export function SignupSettingsFields({ form, invalidFields, change }: SettingsFieldsProps): JSX.Element {
  return (
    <Section title={t('site.people')}>
      <Switch label={t('site.signup')} hint={t('site.signupHint')} checked={form.signup} onChecked={signup => change({ signup })} />
      <div class="admin-pair">
        <TextField
          label={t('site.limit')}
          hint={t('site.limitHint')}
          error={invalidFields.includes('limit') ? t('site.numberError') : null}
          inputMode="numeric"
          autoComplete="off"
          value={form.limit}
          onText={limit => change({ limit })}
        />
        <TextField
          label={t('site.age')}
          error={invalidFields.includes('minimumAge') ? t('site.numberError') : null}
          inputMode="numeric"
          autoComplete="off"
          value={form.minimumAge}
          onText={minimumAge => change({ minimumAge })}
        />
      </div>
      <div class="site-group">
        <QuotaFields
          quotas={{ total: form.quota, daily: form.quotaDaily }}
          onChange={({ total, daily }) => change({ quota: total, quotaDaily: daily })}
        />
        <p class="field-hint">{t('site.quotaHint')}</p>
      </div>
    </Section>
  )
}

/** What is transcoded from an uploaded video, and with which encoder. */
export function TranscodingSettingsFields({ form, change }: SettingsFieldsProps): JSX.Element {
  const { data } = useQuery('GET /server/encoders', {})
  const availableEncoders = (data?.data ?? []).map(({ name }) => name)
  // The configured encoder stays in the list even if no worker offers it at the moment.
  const encoders = [...new Set(['auto', 'libx264', form.encoder, ...availableEncoders])]
  return (
    <Section title={t('about.videos')}>
      <Switch
        label={t('site.transcoding')}
        hint={t('site.transcodingHint')}
        checked={form.transcoding}
        onChecked={transcoding => change({ transcoding })}
      />
      <fieldset class="site-rungs" disabled={!form.transcoding}>
        <legend>{t('site.resolutions')}</legend>
        {TRANSCODING_RESOLUTIONS.map(name => (
          <label key={name}>
            <input
              type="checkbox"
              checked={form.resolutions.includes(name)}
              onChange={event =>
                change({
                  resolutions: TRANSCODING_RESOLUTIONS.filter(other =>
                    other === name ? event.currentTarget.checked : form.resolutions.includes(other)
                  )
                })
              }
            />
            {name === '0p' ? t('player.soundOnly') : name}
          </label>
        ))}
      </fieldset>
      <Select
        label={t('site.encoder')}
        hint={t('site.encoderHint')}
        disabled={!form.transcoding}
        value={form.encoder}
        options={encoders.map(encoder => [
          encoder,
          data && !availableEncoders.includes(encoder) && encoder !== 'auto'
            ? t('site.encoderAbsent', { name: encoderName(encoder) })
            : encoderName(encoder)
        ])}
        onText={encoder => change({ encoder })}
      />
      <Switch
        label={t('site.webVideos')}
        hint={t('site.webVideosHint')}
        checked={form.webVideos}
        onChecked={webVideos => change({ webVideos })}
      />
      <Switch
        label={t('site.keep')}
        hint={t('site.keepHint')}
        checked={form.keepOriginal}
        onChecked={keepOriginal => change({ keepOriginal })}
      />
    </Section>
  )
}

function Section({ title, children }: { title: string; children: ComponentChildren }): JSX.Element {
  return (
    <section class="form panel">
      <h2>{title}</h2>
      {children}
    </section>
  )
}
