import { readdirSync, readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { AxeBuilder } from '@axe-core/playwright'
import { chromium } from 'playwright-core'
import { createServer } from 'vite'
import { expect, test } from 'vitest'
import { projectFolder } from '../../server/core/config.ts'
import { ensureBuilt } from '../../server/test/ensure-built.ts'
import { CHROMIUM_ARGUMENTS, chromiumPath } from './chromium.ts'

test('the development server has a design page that shows every component in both themes', async () => {
  const cacheDir = await mkdtemp(join(tmpdir(), 'bobine-vite-'))
  const server = await createServer({
    configFile: join(projectFolder, 'vite.config.ts'),
    cacheDir,
    logLevel: 'silent',
    server: { host: '127.0.0.1', port: 0, strictPort: false }
  })
  const browser = await chromium.launch({ executablePath: chromiumPath(), args: CHROMIUM_ARGUMENTS })
  try {
    await server.listen()
    const page = await (await browser.newContext({ viewport: { width: 1280, height: 800 }, reducedMotion: 'reduce' })).newPage()
    await page.goto(`${server.resolvedUrls!.local[0]}design`)
    await page.getByRole('heading', { name: 'Design' }).waitFor({ timeout: 60_000 })
    const backgrounds = await page.locator('.design-scheme').evaluateAll(all => all.map(one => getComputedStyle(one).backgroundColor))
    expect(backgrounds).toEqual(['rgb(250, 248, 244)', 'rgb(22, 20, 18)'])
    for (const name of [
      'Colours',
      'Space',
      'Type',
      'Drawings',
      'Avatars',
      'Buttons',
      'Fields',
      'Menu',
      'Tabs',
      'Dialogs',
      'Cards',
      'Notes',
      'Progress'
    ])
      expect(await page.getByRole('heading', { name, exact: true }).count(), name).toBe(2)
    await page.locator('.prose strong').first().waitFor()
    const { violations } = await new AxeBuilder({ page })
      .withTags(['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'])
      .analyze()
    // Every component is shown twice, once per theme, so alerts and notices are, too.
    expect(violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ target }) => target.join(' ')).join(', ')}`)).toEqual([])
    await page.setViewportSize({ width: 390, height: 844 })
    expect(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth)).toBe(true)
    await page.getByRole('button', { name: 'Ask twice' }).last().click()
    await page.getByRole('dialog', { name: 'Delete this?' }).waitFor()
  } finally {
    await browser.close()
    await server.close()
    await rm(cacheDir, { recursive: true, force: true })
  }
})

test('the production build does not contain the design page', async () => {
  await ensureBuilt()
  const folder = join(projectFolder, 'dist/client')
  const manifest = readFileSync(join(folder, 'manifest.json'), 'utf8')
  expect(manifest).toContain('src/videos/home.page.tsx')
  expect(manifest).not.toContain('src/design/')
  const files = Object.values(JSON.parse(manifest) as Record<string, { file: string; css?: string[] }>).flatMap(({ file, css = [] }) => [
    file,
    ...css
  ])
  expect(readdirSync(join(folder, 'assets')).length).toBeGreaterThan(10)
  expect(files.filter(file => /design-scheme|design-swatch|\/design\b/.test(readFileSync(join(folder, file), 'utf8')))).toEqual([])
})
