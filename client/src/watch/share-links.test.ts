import { expect, test, vi } from 'vitest'
import { parseStartTime } from '../videos/parse-start-time.ts'
import { parseSubtitle } from '../videos/parse-subtitle.ts'
import { embedHtml, watchLink } from './share-links.ts'

vi.stubGlobal('location', { origin: 'https://films.example' })
const video = { name: 'A "film" & <more>', shortUUID: 'abc', embedPath: '/videos/embed/uuid', aspectRatio: 16 / 9 }

test('links say where to start and which subtitles to show, only where that is wanted', () => {
  expect(watchLink(video)).toBe('https://films.example/w/abc')
  expect(watchLink(video, { subtitle: 'pt-BR' })).toBe('https://films.example/w/abc?subtitle=pt-BR')
  expect(watchLink(video, { start: 83.9, subtitle: 'fr' })).toBe('https://films.example/w/abc?start=1m23s&subtitle=fr')
})

test('a start time is read as it was written', () => {
  for (const seconds of [1, 59, 60, 61, 3599, 3600, 3661, 36_000, 100_000])
    expect(parseStartTime(new URL(watchLink(video, { start: seconds })).searchParams.get('start'))).toBe(seconds)
})

test('the HTML to embed is escaped and has the shape of the video', () => {
  expect(embedHtml(video, { start: 5, subtitle: 'fr' })).toBe(
    '<iframe title="A &quot;film&quot; &amp; <more>" width="560" height="315" src="https://films.example/videos/embed/uuid?start=5s&amp;subtitle=fr" allowfullscreen loading="lazy"></iframe>'
  )
  expect(embedHtml({ ...video, aspectRatio: 9 / 16 })).toContain('width="315" height="560" src="https://films.example/videos/embed/uuid"')
})

test('the parameter `subtitle` is a language tag', () => {
  expect(['fr', 'pt-BR', 'zh-Hant-TW', 'fse'].map(parseSubtitle)).toEqual(['fr', 'pt-BR', 'zh-Hant-TW', 'fse'])
  expect(['', 'f', 'French!', '<b>', 'fr"', 'fr-', '../fr', `fr-${'a'.repeat(5000)}`, null, undefined].map(parseSubtitle)).toEqual(
    Array.from({ length: 10 }, () => undefined)
  )
})
