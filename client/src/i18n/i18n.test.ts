import { beforeAll, describe, expect, test, vi } from 'vitest'
import { formatAge, formatSize, formatDuration, formatTime, languageName, setLanguage, formatSpokenTime, t } from './i18n.ts'
import { toUiLanguage } from './languages.ts'

const withPlainSpaces = (text: string) => text.replace(/[\u00a0\u202f]/g, ' ')
vi.stubGlobal('document', { documentElement: { lang: '' } })

describe('English', () => {
  beforeAll(async () => await setLanguage('en'))
  test('replaces placeholders and chooses plural forms', () => {
    expect(t('player.seekValue', { time: '1:00', end: '2:00' })).toBe('1:00 of 2:00')
    expect(t('video.views', { count: 1, number: '1' })).toBe('1 view')
    expect(t('video.views', { count: 0, number: '0' })).toBe('0 views')
    expect(t('signup.age', { age: 16000 })).toContain('16,000')
  })
  test('keeps placeholders without a value and does not interpret placeholders in values', () => {
    expect(t('login.denied')).toContain('{reason}')
    expect(t('login.denied', { reason: '{reason} $& {x}' })).toBe('You can’t log in: {reason} $& {x}')
  })
  test('formats positions', () => {
    expect([0, 59, 60, 3599, 3600, 36_061, Number.NaN, -3].map(formatTime)).toEqual([
      '0:00',
      '0:59',
      '1:00',
      '59:59',
      '1:00:00',
      '10:01:01',
      '0:00',
      '0:00'
    ])
    expect(formatSpokenTime(3661)).toBe('1 hour, 1 minute, 1 second')
    expect(formatSpokenTime(60)).toBe('1 minute, 0 seconds')
  })
  test('formats sizes and durations', () => {
    expect([0, 999, 1000, 1_500_000, 20_000_000, 2_340_000_000].map(formatSize)).toEqual([
      '0 bytes',
      '999 bytes',
      '1 kB',
      '1.5 MB',
      '20 MB',
      '2.3 GB'
    ])
    expect([0.2, 59, 61, 3599, 7260].map(formatDuration)).toEqual(['1 sec', '59 sec', '1 min', '1 hr 0 min', '2 hr 1 min'])
  })
  test('formats ages', () => {
    const ageOf = (seconds: number) => formatAge(new Date(Date.now() - seconds * 1000 - 10))
    expect([5, 61, 7300, 90_000, 800_000, 40_000_000].map(ageOf)).toEqual([
      'now',
      '1 minute ago',
      '2 hours ago',
      'yesterday',
      'last week',
      'last year'
    ])
  })
  test('returns names of languages', () => {
    const names = [languageName('fr'), languageName('fse', 'Finnish Sign Language'), languageName('qaa-x-far'), languageName('not a code!')]
    expect(names).toEqual(['French', 'Finnish Sign Language', 'qaa-x-far', 'not a code!'])
  })
})

test('formats numbers and plurals by the rules of French', async () => {
  await setLanguage('fr')
  expect(withPlainSpaces(formatSize(1_500_000))).toBe('1,5 Mo')
  expect(t('video.views', { count: 0, number: '0' })).toBe('0 vue')
  expect(languageName('fr')).toBe('Français')
})

test('chooses the language by the primary subtag of a language tag', () => {
  expect(['fr-CH', 'EN', 'en_US', 'de', '', null, 'toString'].map(toUiLanguage)).toEqual(['fr', 'en', 'en', null, null, null, null])
})
