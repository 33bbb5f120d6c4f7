import type { CustomConfig } from '../../../shared/administration.ts'
import { parseQuotaInput, formatQuotaInput } from './quota.ts'

/** The renditions an instance may offer, by the short side of the video in pixels; `0p` is audio only. */
export const TRANSCODING_RESOLUTIONS = ['0p', '144p', '240p', '360p', '480p', '720p', '1080p', '1440p', '2160p'] as const

/** The values of the form fields; numbers are texts, an empty limit or quota means none. */
export type InstanceSettingsForm = {
  name: string
  shortDescription: string
  description: string
  terms: string
  codeOfConduct: string
  administrator: string
  moderationInformation: string
  signup: boolean
  limit: string
  minimumAge: string
  quota: string
  quotaDaily: string
  transcoding: boolean
  webVideos: boolean
  encoder: string
  keepOriginal: boolean
  resolutions: readonly string[]
}

const TEXT_FIELDS = ['name', 'shortDescription', 'description', 'terms', 'codeOfConduct', 'administrator', 'moderationInformation'] as const

/** Returns the form values for a configuration. */
export function toInstanceSettingsForm({ instance, signup, user, transcoding }: CustomConfig): InstanceSettingsForm {
  return {
    ...(Object.fromEntries(TEXT_FIELDS.map(key => [key, instance[key]])) as Pick<InstanceSettingsForm, (typeof TEXT_FIELDS)[number]>),
    signup: signup.enabled,
    limit: signup.limit < 0 ? '' : String(signup.limit),
    minimumAge: String(signup.minimumAge),
    quota: formatQuotaInput(user.videoQuota),
    quotaDaily: formatQuotaInput(user.videoQuotaDaily),
    transcoding: transcoding.enabled,
    webVideos: transcoding.webVideos.enabled,
    encoder: transcoding.encoder,
    keepOriginal: transcoding.originalFile.keep,
    resolutions: TRANSCODING_RESOLUTIONS.filter(name => transcoding.resolutions[name])
  }
}

/** Returns the body of `PATCH /config/custom`: the settings that differ between `before` and `after`, and nothing else. */
export function changedInstanceSettings(before: InstanceSettingsForm, after: InstanceSettingsForm): Record<string, unknown> {
  const changed = (key: keyof InstanceSettingsForm) => String(before[key]) !== String(after[key])
  const limitFromText = (text: string) => (text.trim() === '' ? -1 : Number(text))
  const withoutUndefined = (entries: Record<string, unknown>) =>
    Object.fromEntries(Object.entries(entries).filter(([, value]) => value !== undefined))
  const groups = {
    instance: withoutUndefined(Object.fromEntries(TEXT_FIELDS.map(key => [key, changed(key) ? after[key].trim() : undefined]))),
    signup: withoutUndefined({
      enabled: changed('signup') ? after.signup : undefined,
      limit: changed('limit') ? limitFromText(after.limit) : undefined,
      minimumAge: changed('minimumAge') ? Number(after.minimumAge) : undefined
    }),
    user: withoutUndefined({
      videoQuota: changed('quota') ? parseQuotaInput(after.quota) : undefined,
      videoQuotaDaily: changed('quotaDaily') ? parseQuotaInput(after.quotaDaily) : undefined
    }),
    transcoding: withoutUndefined({
      enabled: changed('transcoding') ? after.transcoding : undefined,
      encoder: changed('encoder') ? after.encoder : undefined,
      webVideos: changed('webVideos') ? { enabled: after.webVideos } : undefined,
      originalFile: changed('keepOriginal') ? { keep: after.keepOriginal } : undefined,
      resolutions: changed('resolutions')
        ? Object.fromEntries(TRANSCODING_RESOLUTIONS.map(name => [name, after.resolutions.includes(name)]))
        : undefined
    })
  }
  return Object.fromEntries(Object.entries(groups).filter(([, group]) => Object.keys(group).length > 0))
}

/** Returns the fields whose values the server would refuse. */
export function invalidInstanceSettings({
  name,
  limit,
  minimumAge,
  quota,
  quotaDaily
}: InstanceSettingsForm): (keyof InstanceSettingsForm)[] {
  const isWholeNumber = (text: string) => /^\d{1,9}$/.test(text.trim())
  return [
    ...(name.trim() === '' ? ['name' as const] : []),
    ...(limit.trim() === '' || isWholeNumber(limit) ? [] : ['limit' as const]),
    ...(isWholeNumber(minimumAge) ? [] : ['minimumAge' as const]),
    ...(parseQuotaInput(quota) === null ? ['quota' as const] : []),
    ...(parseQuotaInput(quotaDaily) === null ? ['quotaDaily' as const] : [])
  ]
}
