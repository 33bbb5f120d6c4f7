import { readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { expect, test } from 'vitest'

const source = join(import.meta.dirname, '..')
const readSources = (ending: RegExp) =>
  readdirSync(source, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile() && ending.test(entry.name) && !entry.name.endsWith('.test.ts'))
    .map(entry => {
      const path = join(entry.parentPath, entry.name)
      return { name: relative(source, path), text: readFileSync(path, 'utf8') }
    })

type CssRule = { media: string; selector: string; declarations: [property: string, value: string][] }

/** Parses the rules of a style sheet, with the conditions of the at-rules around them in `media`. */
function parseRules(css: string): CssRule[] {
  const found: CssRule[] = []
  const openBlocks: string[] = []
  for (const [, text = '', brace] of css.replace(/\/\*[\s\S]*?\*\//g, '').matchAll(/([^{}]*)([{}])/g)) {
    if (brace === '{') openBlocks.push(text.trim())
    else {
      const selector = openBlocks.pop() ?? ''
      const declarations = text
        .split(';')
        .map(declaration => declaration.trim())
        .filter(Boolean)
        .map(declaration => {
          const colon = declaration.indexOf(':')
          return [declaration.slice(0, colon).trim(), declaration.slice(colon + 1).trim()] as [string, string]
        })
      if (declarations.length > 0) found.push({ media: openBlocks.join(' '), selector, declarations })
    }
  }
  return found
}

const PHYSICAL_PROPERTY =
  /^(left|right)$|^(margin|padding|border|scroll-margin|scroll-padding)-(left|right)(-|$)|^border-(top|bottom)-(left|right)-radius$/
const PROPERTIES_WITH_SIDE_VALUES = new Set(['text-align', 'float', 'clear'])
const FOUR_SIDE_PROPERTIES = new Set([
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
  if (PHYSICAL_PROPERTY.test(property) || (PROPERTIES_WITH_SIDE_VALUES.has(property) && /\b(left|right)\b/.test(value))) return true
  const values = value.match(/(?:[^\s()]|\((?:[^()]|\([^()]*\))*\))+/g) ?? []
  return FOUR_SIDE_PROPERTIES.has(property) && values.length === 4 && values[1] !== values[3]
}

test('styles use logical properties, which follow the direction of the language', () => {
  const violations = readSources(/\.css$/).flatMap(({ name, text }) =>
    parseRules(text).flatMap(({ selector, declarations }) =>
      declarations
        .filter(declaration => isPhysical(...declaration))
        .map(declaration => `${name}: ${selector} { ${declaration.join(': ')} }`)
    )
  )
  expect(violations).toEqual([])
  expect(
    parseRules(
      'a { color: red } @media x { b:hover { left: 0; margin: 1px 2px 3px calc(4px + (1px)); padding: 1px 2px 1px 2px } }'
    ).flatMap(({ declarations }) => declarations.filter(declaration => isPhysical(...declaration)).map(([name]) => name))
  ).toEqual(['left', 'margin'])
})

test('animations and transitions respect prefers-reduced-motion', () => {
  for (const { name, text } of readSources(/\.css$/)) {
    const rules = parseRules(text)
    const reduced = rules
      .filter(({ media }) => media.includes('prefers-reduced-motion: reduce'))
      .map(({ selector }) => selector)
      .join()
    for (const { media, selector, declarations } of rules.filter(rule => !rule.media.includes('prefers-reduced-motion'))) {
      for (const [property, value] of declarations) {
        if (/^animation(-name)?$/.test(property) && value !== 'none') expect(reduced, `${name}: ${selector} ${media}`).toContain(selector)
        if (property === 'transition')
          expect(value.replace(/var\(--(quick|calm)\)/g, ''), `${name}: ${selector} takes its time from the tokens`).not.toMatch(/\d+m?s/)
      }
    }
  }
  expect(
    readSources(/\.tsx?$/)
      .filter(({ text }) => /behavior: 'smooth'/.test(text))
      .map(({ name }) => name)
  ).toEqual([])
})

test('the design page shows every component and every icon', () => {
  const shown = readSources(/\.tsx$/)
    .filter(({ name }) => name.startsWith('design/'))
    .map(({ text }) => text)
    .join('\n')
  const components = readSources(/\.tsx$/)
    .filter(({ name }) => name.startsWith('ui/'))
    .flatMap(({ text }) => [...text.matchAll(/^export function ([A-Z]\w*)/gm)].map(([, component]) => component!))
  // The app renders these two; `openConfirmDialog` and `showToast` open them.
  expect(
    components.filter(component => !['Toasts', 'ConfirmDialog'].includes(component) && !new RegExp(`<${component}\\s`).test(shown))
  ).toEqual([])
  expect(shown).toMatch(/\bopenConfirmDialog\(/)
  expect(shown).toMatch(/\bshowToast\(/)
  const iconNames = [...readSources(/^icon\.tsx$/)[0]!.text.matchAll(/^ {2}(\w+): '/gm)].map(([, name]) => name!)
  expect(iconNames.filter(name => !shown.includes(`'${name}'`))).toEqual([])
})
