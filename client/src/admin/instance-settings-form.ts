import type { CustomConfig } from '../../../shared/administration.ts'
import { parseQuotaInput, formatQuotaInput } from './quota.ts'

/** The renditions a site may make, by the short side of the picture; the first is sound alone. */
export const TRANSCODING_RESOLUTIONS = ['0p', '144p', '240p', '360p', '480p', '720p', '1080p', '1440p', '2160p'] as const

/** What the page changes, as its fields hold it; numbers are texts, an empty one is no limit. */
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
  rungs: readonly string[]
}

const TEXTS = ['name', 'shortDescription', 'description', 'terms', 'codeOfConduct', 'administrator', 'moderationInformation'] as const

/** The fields for a configuration. */
export function toInstanceSettingsForm({ instance, signup, user, transcoding }: CustomConfig): InstanceSettingsForm {
  return {
    ...(Object.fromEntries(TEXTS.map(key => [key, instance[key]])) as Pick<InstanceSettingsForm, (typeof TEXTS)[number]>),
    signup: signup.enabled,
    limit: signup.limit < 0 ? '' : String(signup.limit),
    minimumAge: String(signup.minimumAge),
    quota: formatQuotaInput(user.videoQuota),
    quotaDaily: formatQuotaInput(user.videoQuotaDaily),
    transcoding: transcoding.enabled,
    webVideos: transcoding.webVideos.enabled,
    encoder: transcoding.encoder,
    keepOriginal: transcoding.originalFile.keep,
    rungs: TRANSCODING_RESOLUTIONS.filter(name => transcoding.resolutions[name])
  }
}

/** What is to be sent so that the configuration becomes what the fields say: what was changed, and nothing else. */
export function changedInstanceSettings(before: InstanceSettingsForm, after: InstanceSettingsForm): Record<string, unknown> {
  const changed = (key: keyof InstanceSettingsForm) => before[key] !== after[key]
  const whole = (text: string) => (text.trim() === '' ? -1 : Number(text))
  const part = (entries: Record<string, unknown>) => Object.fromEntries(Object.entries(entries).filter(([, value]) => value !== undefined))
  const groups = {
    instance: part(Object.fromEntries(TEXTS.map(key => [key, changed(key) ? after[key].trim() : undefined]))),
    signup: part({
      enabled: changed('signup') ? after.signup : undefined,
      limit: changed('limit') ? whole(after.limit) : undefined,
      minimumAge: changed('minimumAge') ? Number(after.minimumAge) : undefined
    }),
    user: part({
      videoQuota: changed('quota') ? parseQuotaInput(after.quota) : undefined,
      videoQuotaDaily: changed('quotaDaily') ? parseQuotaInput(after.quotaDaily) : undefined
    }),
    transcoding: part({
      enabled: changed('transcoding') ? after.transcoding : undefined,
      encoder: changed('encoder') ? after.encoder : undefined,
      webVideos: changed('webVideos') ? { enabled: after.webVideos } : undefined,
      originalFile: changed('keepOriginal') ? { keep: after.keepOriginal } : undefined,
      resolutions: changed('rungs')
        ? Object.fromEntries(TRANSCODING_RESOLUTIONS.map(name => [name, after.rungs.includes(name)]))
        : undefined
    })
  }
  return Object.fromEntries(Object.entries(groups).filter(([, group]) => Object.keys(group).length > 0))
}

/** The fields whose texts are nothing the server could take. */
export function invalidInstanceSettings({
  name,
  limit,
  minimumAge,
  quota,
  quotaDaily
}: InstanceSettingsForm): (keyof InstanceSettingsForm)[] {
  const isWhole = (text: string) => /^\d{1,9}$/.test(text.trim())
  return [
    ...(name.trim() === '' ? ['name' as const] : []),
    ...(limit.trim() === '' || isWhole(limit) ? [] : ['limit' as const]),
    ...(isWhole(minimumAge) ? [] : ['minimumAge' as const]),
    ...(parseQuotaInput(quota) === null ? ['quota' as const] : []),
    ...(parseQuotaInput(quotaDaily) === null ? ['quotaDaily' as const] : [])
  ]
}
