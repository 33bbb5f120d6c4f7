import { expect, test } from 'vitest'
import type { CustomConfig } from '../../../shared/administration.ts'
import {
  changedInstanceSettings,
  toInstanceSettingsForm,
  TRANSCODING_RESOLUTIONS,
  invalidInstanceSettings
} from './instance-settings-form.ts'

const config = {
  instance: {
    name: 'Reels',
    shortDescription: 'Short',
    description: 'Long',
    terms: '',
    codeOfConduct: '',
    administrator: '',
    moderationInformation: '',
    languages: [],
    categories: [],
    isNSFW: false,
    defaultNSFWPolicy: 'display'
  },
  signup: { enabled: true, limit: -1, requiresApproval: false, requiresEmailVerification: false, minimumAge: 16 },
  user: { videoQuota: 2_500_000_000, videoQuotaDaily: -1 },
  transcoding: {
    enabled: true,
    encoder: 'libx264',
    webVideos: { enabled: false },
    originalFile: { keep: false },
    resolutions: Object.fromEntries(TRANSCODING_RESOLUTIONS.map(name => [name, name === '240p']))
  }
} as unknown as CustomConfig
const form = toInstanceSettingsForm(config)

test('a configuration is turned into form fields', () => {
  expect(form).toMatchObject({
    name: 'Reels',
    signup: true,
    limit: '',
    minimumAge: '16',
    quota: '2.5',
    quotaDaily: '',
    transcoding: true,
    encoder: 'libx264',
    webVideos: false,
    keepOriginal: false,
    resolutions: ['240p']
  })
})

test('the request contains only changed settings', () => {
  expect(changedInstanceSettings(form, toInstanceSettingsForm(config))).toEqual({})
  expect(changedInstanceSettings(form, { ...form, name: ' Films ', limit: '5', quota: '', keepOriginal: true })).toEqual({
    instance: { name: 'Films' },
    signup: { limit: 5 },
    user: { videoQuota: -1 },
    transcoding: { originalFile: { keep: true } }
  })
  expect(changedInstanceSettings(form, { ...form, encoder: 'auto', webVideos: true })).toEqual({
    transcoding: { encoder: 'auto', webVideos: { enabled: true } }
  })
  expect(changedInstanceSettings(form, { ...form, resolutions: ['0p', '240p'] })).toEqual({
    transcoding: {
      resolutions: {
        '0p': true,
        '144p': false,
        '240p': true,
        '360p': false,
        '480p': false,
        '720p': false,
        '1080p': false,
        '1440p': false,
        '2160p': false
      }
    }
  })
  expect(changedInstanceSettings({ ...form, limit: '5' }, { ...form, limit: '' })).toEqual({ signup: { limit: -1 } })
})

test('fields with values that the server would refuse are reported', () => {
  expect(invalidInstanceSettings(form)).toEqual([])
  expect(invalidInstanceSettings({ ...form, name: ' ', limit: '-3', minimumAge: '', quota: 'much', quotaDaily: '-1' })).toEqual([
    'name',
    'limit',
    'minimumAge',
    'quota',
    'quotaDaily'
  ])
})
