import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { projectFolder } from '../../server/core/config.ts'
import en from '../src/i18n/en.ts'
import fr from '../src/i18n/fr.ts'

const source = join(projectFolder, 'client/src')
const texts = readdirSync(source, { recursive: true, withFileTypes: true })
  .filter(entry => entry.isFile() && /\.tsx?$/.test(entry.name) && !/^(en|fr)\.ts$/.test(entry.name))
  .map(entry => readFileSync(join(entry.parentPath, entry.name), 'utf8'))
  .join('\n')
const quoted = new Set([...texts.matchAll(/'([a-z][A-Za-z]*\.[A-Za-z]+)'/g)].map(([, key]) => key!))
const called = new Set([...texts.matchAll(/\b(?:t|splitAtPlaceholder)\(\s*'([^']+)'/g)].map(([, key]) => key!))

type Text = string | { one: string; other: string }
const places = (text: Text) => [...new Set([...JSON.stringify(text).matchAll(/\{(\w+)\}/g)].map(([, name]) => name!))].sort()

test('every text that the pages ask for is there', () => {
  expect([...called].filter(key => !Object.hasOwn(en, key))).toEqual([])
})

test('every text is used somewhere', () => {
  expect(Object.keys(en).filter(key => !quoted.has(key))).toEqual([])
})

test('every language has the same texts with the same places to fill in', () => {
  expect(Object.keys(fr)).toEqual(Object.keys(en))
  for (const [key, text] of Object.entries(en)) expect(places(fr[key as keyof typeof en]), key).toEqual(places(text))
  for (const [key, text] of Object.entries(en)) expect(typeof fr[key as keyof typeof en], key).toBe(typeof text)
})

test('no text is left in the other language, and none is empty', () => {
  const same = Object.entries(en)
    .filter(([key, text]) => JSON.stringify(fr[key as keyof typeof en]) === JSON.stringify(text))
    .map(([, text]) => text)
  // Words that both languages share.
  expect(
    same.filter(
      text =>
        ![
          'Art',
          'Films',
          'Sports',
          'Pause',
          'Auto',
          'Auto ({quality})',
          'Volume',
          'Description',
          'Position',
          '{time} · {end}',
          'Version {version}',
          '{size}/s',
          'Menu',
          'Attribution',
          'Licence'
        ].includes(text as string)
    )
  ).toEqual([])
  expect(Object.values(en).filter(text => text === '')).toEqual([])
})

test('the texts are in order, so that one finds them', () => {
  const keys = Object.keys(en)
  expect(keys).toEqual([...keys].sort())
})
