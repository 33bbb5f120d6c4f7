import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { projectFolder } from '../../server/core/config.ts'
import en from '../src/i18n/en.ts'
import fr from '../src/i18n/fr.ts'

const sourceFolder = join(projectFolder, 'client/src')
const sourceCode = readdirSync(sourceFolder, { recursive: true, withFileTypes: true })
  .filter(entry => entry.isFile() && /\.tsx?$/.test(entry.name) && !/^(en|fr)\.ts$/.test(entry.name))
  .map(entry => readFileSync(join(entry.parentPath, entry.name), 'utf8'))
  .join('\n')
const quotedKeys = new Set([...sourceCode.matchAll(/'([a-z][A-Za-z]*\.[A-Za-z]+)'/g)].map(([, key]) => key!))
const translatedKeys = new Set([...sourceCode.matchAll(/\b(?:t|splitAtPlaceholder)\(\s*'([^']+)'/g)].map(([, key]) => key!))

type Text = string | { one: string; other: string }
const placeholders = (text: Text) => [...new Set([...JSON.stringify(text).matchAll(/\{(\w+)\}/g)].map(([, name]) => name!))].sort()

test('every key that the client uses exists', () => {
  expect([...translatedKeys].filter(key => !Object.hasOwn(en, key))).toEqual([])
})

test('every key is used', () => {
  expect(Object.keys(en).filter(key => !quotedKeys.has(key))).toEqual([])
})

test('every language has the same keys with the same placeholders', () => {
  expect(Object.keys(fr)).toEqual(Object.keys(en))
  for (const [key, text] of Object.entries(en)) expect(placeholders(fr[key as keyof typeof en]), key).toEqual(placeholders(text))
  for (const [key, text] of Object.entries(en)) expect(typeof fr[key as keyof typeof en], key).toBe(typeof text)
})

test('no text is untranslated or empty', () => {
  const identical = Object.entries(en)
    .filter(([key, text]) => JSON.stringify(fr[key as keyof typeof en]) === JSON.stringify(text))
    .map(([, text]) => text)
  // Words that are the same in both languages.
  expect(
    identical.filter(
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
          'Version {version}',
          '{size}/s',
          'Menu',
          'Avatar',
          'Attribution',
          'Licence',
          'Local',
          'Administration',
          'Configuration',
          'Instances',
          'Audio',
          'Codecs',
          'API',
          'Pages'
        ].includes(text as string)
    )
  ).toEqual([])
  expect(Object.values(en).filter(text => text === '')).toEqual([])
})

test('no line of French begins with a punctuation mark', () => {
  const breakable = Object.entries(fr).filter(([, text]) => /« | [»:;!?]/.test(JSON.stringify(text)))
  expect(breakable).toEqual([])
})

test('the keys are sorted', () => {
  const keys = Object.keys(en)
  expect(keys).toEqual([...keys].sort())
})
