import { readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { expect, test } from 'vitest'

const source = join(import.meta.dirname, '..')
const files = (ending: RegExp) =>
  readdirSync(source, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile() && ending.test(entry.name) && !entry.name.endsWith('.test.ts'))
    .map(entry => {
      const path = join(entry.parentPath, entry.name)
      return { name: relative(source, path), text: readFileSync(path, 'utf8') }
    })

type Rule = { media: string; selector: string; declarations: [property: string, value: string][] }

/** The rules of a style sheet with the conditions around them. */
function rules(css: string): Rule[] {
  const found: Rule[] = []
  const around: string[] = []
  for (const [, text = '', mark] of css.replace(/\/\*[\s\S]*?\*\//g, '').matchAll(/([^{}]*)([{}])/g)) {
    if (mark === '{') around.push(text.trim())
    else {
      const selector = around.pop() ?? ''
      const declarations = text
        .split(';')
        .map(one => one.trim())
        .filter(Boolean)
        .map(one => [one.slice(0, one.indexOf(':')).trim(), one.slice(one.indexOf(':') + 1).trim()] as [string, string])
      if (declarations.length > 0) found.push({ media: around.join(' '), selector, declarations })
    }
  }
  return found
}

const PHYSICAL =
  /^(left|right)$|^(margin|padding|border|scroll-margin|scroll-padding)-(left|right)(-|$)|^border-(top|bottom)-(left|right)-radius$/
const SIDED = new Set(['text-align', 'float', 'clear'])
const FOUR_SIDES = new Set([
  'margin',
  'padding',
  'inset',
  'border-width',
  'border-color',
  'border-style',
  'scroll-margin',
  'scroll-padding'
])

function isPhysical(property: string, value: string): boolean {
  if (PHYSICAL.test(property) || (SIDED.has(property) && /\b(left|right)\b/.test(value))) return true
  const parts = value.match(/(?:[^\s()]|\((?:[^()]|\([^()]*\))*\))+/g) ?? []
  return FOUR_SIDES.has(property) && parts.length === 4 && parts[1] !== parts[3]
}

test('every style follows the direction of the language', () => {
  const faults = files(/\.css$/).flatMap(({ name, text }) =>
    rules(text).flatMap(({ selector, declarations }) =>
      declarations.filter(one => isPhysical(...one)).map(one => `${name}: ${selector} { ${one.join(': ')} }`)
    )
  )
  expect(faults).toEqual([])
  expect(
    rules('a { color: red } @media x { b:hover { left: 0; margin: 1px 2px 3px calc(4px + (1px)); padding: 1px 2px 1px 2px } }').flatMap(
      ({ declarations }) => declarations.filter(one => isPhysical(...one)).map(([name]) => name)
    )
  ).toEqual(['left', 'margin'])
})

test('what moves by itself stands still or slows down for whoever wants less motion', () => {
  for (const { name, text } of files(/\.css$/)) {
    const all = rules(text)
    const calmed = all
      .filter(({ media }) => media.includes('prefers-reduced-motion: reduce'))
      .map(({ selector }) => selector)
      .join()
    for (const { media, selector, declarations } of all.filter(one => !one.media.includes('prefers-reduced-motion'))) {
      for (const [property, value] of declarations) {
        if (/^animation(-name)?$/.test(property) && value !== 'none') expect(calmed, `${name}: ${selector} ${media}`).toContain(selector)
        if (property === 'transition')
          expect(value.replace(/var\(--(quick|calm)\)/g, ''), `${name}: ${selector} takes its time from the tokens`).not.toMatch(/\d+m?s/)
      }
    }
  }
  expect(
    files(/\.tsx?$/)
      .filter(({ text }) => /behavior: 'smooth'/.test(text))
      .map(({ name }) => name)
  ).toEqual([])
})

test('every part of the design stands on the page that shows them', () => {
  const shown = files(/\.tsx$/)
    .filter(({ name }) => name.startsWith('design/'))
    .map(({ text }) => text)
    .join('\n')
  const parts = files(/\.tsx$/)
    .filter(({ name }) => name.startsWith('ui/'))
    .flatMap(({ text }) => [...text.matchAll(/^export function ([A-Z]\w*)/gm)].map(([, part]) => part!))
  // The shell shows these two; `openConfirmDialog` and `showToast` speak through them.
  expect(parts.filter(part => !['Toasts', 'ConfirmDialog'].includes(part) && !new RegExp(`<${part}\\s`).test(shown))).toEqual([])
  expect(shown).toMatch(/\bopenConfirmDialog\(/)
  expect(shown).toMatch(/\bshowToast\(/)
  const drawings = [...files(/^icon\.tsx$/)[0]!.text.matchAll(/^ {2}(\w+): '/gm)].map(([, name]) => name!)
  expect(drawings.filter(name => !shown.includes(`'${name}'`))).toEqual([])
})
