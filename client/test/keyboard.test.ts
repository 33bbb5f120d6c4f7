import type { FileChooser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { waitForTranscoding, uploadVideo } from '../../server/test/upload.ts'
import { makeFootageBytes } from '../../server/test/footage.ts'
import { expectNoPageErrors, expectVideoToPlay, makeTestVideo, openTestSite, readVideoElement, type TestSite } from './site.ts'

let site: TestSite
let shortUUID: string

beforeAll(async () => {
  site = await openTestSite({
    transcoding: { preset: 'ultrafast', resolutions: { '240p': true, '360p': false, '480p': false, '720p': false, '1080p': false } }
  })
  const ada = await site.user('ada')
  const video = await uploadVideo(site, ada, { name: 'A film to press keys on' }, await makeFootageBytes({ seconds: 60, size: '426x240' }))
  await waitForTranscoding(site, ada, video.id)
  shortUUID = video.shortUUID
}, 180_000)
afterAll(async () => await site.stop())

/** Presses Tab until the element with this name is focused; its focus ring must be visible. */
async function tabTo(page: Page, name: string | RegExp): Promise<void> {
  const names: string[] = []
  for (let index = 0; index < 60; index++) {
    await page.keyboard.press('Tab')
    const focused = await page.evaluate(() => {
      const element = document.activeElement as HTMLElement & { labels?: NodeListOf<HTMLLabelElement> }
      const { outlineStyle, outlineWidth } = getComputedStyle(element)
      const box = element.getBoundingClientRect()
      return {
        name:
          element.getAttribute('aria-label') ??
          element.labels?.[0]?.textContent ??
          (element === document.body ? '' : element.textContent) ??
          '',
        visible: outlineStyle !== 'none' && outlineWidth !== '0px' && box.width > 0 && box.bottom > 0 && box.top < innerHeight
      }
    })
    names.push(focused.name)
    if (typeof name === 'string' ? focused.name === name : name.test(focused.name)) {
      expect(focused.visible, `${focused.name} shows the focus`).toBe(true)
      return
    }
  }
  throw new Error(`${name} is not reached: ${names.join(' | ')}`)
}

test('logging in, uploading, describing, publishing and watching work by keyboard', { timeout: 120_000 }, async () => {
  const visitor = await site.visit({ reducedMotion: 'reduce' })
  const { page } = visitor
  await page.goto('/')
  await page.getByRole('button', { name: 'Menu' }).waitFor()
  await page.keyboard.press('Tab')
  expect(await page.evaluate(() => document.activeElement!.textContent)).toBe('Skip to content')
  await tabTo(page, 'Upload')
  await page.keyboard.press('Enter')
  await page.waitForURL('**/login?next=%2Fupload')
  await tabTo(page, 'Username or email')
  await page.keyboard.type('root')
  await tabTo(page, 'Password')
  await page.keyboard.type(site.rootPassword)
  await page.keyboard.press('Enter')
  await page.getByRole('heading', { name: 'Upload' }).waitFor()
  await page.locator('button:not([aria-busy=true])', { hasText: 'Choose files' }).waitFor()
  await tabTo(page, 'Choose files')
  const choosers: FileChooser[] = []
  page.on('filechooser', chooser => choosers.push(chooser))
  const videoPath = await makeTestVideo(site, 'mine.mp4', { seconds: 6, keyframes: 1 })
  await page.keyboard.press('Enter')
  await expect.poll(() => choosers.length).toBe(1)
  await choosers[0]!.setFiles(videoPath)
  await page.getByRole('article', { name: 'mine.mp4' }).waitFor()
  await tabTo(page, 'Title')
  await page.keyboard.press('Control+A')
  await page.keyboard.type('Written by hand')
  await tabTo(page, 'Description')
  await page.keyboard.type('No mouse.')
  await tabTo(page, 'Publish')
  await page.keyboard.press('Enter')
  await page.getByText('Published.').waitFor({ timeout: 60_000 })
  await tabTo(page, 'Watch')
  await page.keyboard.press('Enter')
  await page.getByRole('heading', { name: 'Written by hand' }).waitFor()
  await expectVideoToPlay(page, 0.5)
  expectNoPageErrors(visitor)
  await visitor.context.close()
})

test('arrow keys move through menus, Escape closes them', async () => {
  const visitor = await site.visit({ reducedMotion: 'reduce' })
  const { page } = visitor
  const focusedText = async () => await page.evaluate(() => document.activeElement!.textContent)
  await page.goto('/')
  await page.getByRole('button', { name: 'Menu' }).waitFor()
  await tabTo(page, 'Menu')
  await page.keyboard.press('Enter')
  expect(await focusedText()).toBe('Log in')
  await page.keyboard.press('ArrowUp')
  expect(await focusedText()).toBe('About')
  await page.keyboard.press('ArrowDown')
  await page.keyboard.press('d')
  expect(await focusedText()).toBe('Dark')
  await page.keyboard.press('Escape')
  expect(await page.evaluate(() => document.activeElement!.getAttribute('aria-label'))).toBe('Menu')
  expect(await page.getByRole('menu').count()).toBe(0)
  expectNoPageErrors(visitor)
  await visitor.context.close()
})

test('the keyboard shortcuts of the player work', async () => {
  const visitor = await site.visit({ reducedMotion: 'reduce' })
  const { page } = visitor
  await page.goto(`/w/${shortUUID}`)
  await page.getByRole('button', { name: 'Player settings' }).waitFor()
  const readPlayer = async () => await readVideoElement(page)
  const readVolumeAndSpeed = async () =>
    await page
      .locator('video')
      .evaluate((video: HTMLVideoElement) => ({ volume: Math.round(video.volume * 100), muted: video.muted, speed: video.playbackRate }))
  await page.keyboard.press('k')
  await expectVideoToPlay(page, 0.5)
  await page.keyboard.press(' ')
  await expect.poll(async () => (await readPlayer()).paused).toBe(true)
  for (const [key, seconds] of [
    ['5', 30],
    ['l', 40],
    ['ArrowRight', 45],
    ['j', 35],
    ['ArrowLeft', 30],
    ['0', 0]
  ] as const) {
    await page.keyboard.press(key)
    await expect.poll(async () => Math.round((await readPlayer()).time), { message: key }).toBe(seconds)
  }
  await page.keyboard.press('m')
  expect(await readVolumeAndSpeed()).toMatchObject({ muted: true })
  await page.keyboard.press('m')
  await page.keyboard.press('>')
  await page.keyboard.press('>')
  await page.keyboard.press('<')
  expect(await readVolumeAndSpeed()).toMatchObject({ muted: false, speed: 1.25 })
  await page.keyboard.press('t')
  await page.locator('.watch-wide').waitFor()
  await page.keyboard.press('t')
  await expect.poll(async () => await page.locator('.watch-wide').count()).toBe(0)
  await page.keyboard.press('f')
  await expect.poll(async () => await page.evaluate(() => document.fullscreenElement?.className)).toBe('player')
  await page.keyboard.press('f')
  await expect.poll(async () => await page.evaluate(() => document.fullscreenElement)).toBe(null)
  await page.keyboard.press('?')
  await page.getByRole('dialog', { name: 'Keyboard shortcuts' }).waitFor()
  await page.keyboard.press('Escape')
  await expect.poll(async () => await page.getByRole('dialog').count()).toBe(0)

  await tabTo(page, 'Position')
  await page.keyboard.press('End')
  await expect.poll(async () => (await readPlayer()).time).toBeGreaterThan(59)
  await page.keyboard.press('Home')
  await page.keyboard.press('PageUp')
  await expect.poll(async () => Math.round((await readPlayer()).time)).toBe(60)
  expect(await page.getByRole('slider', { name: 'Position' }).getAttribute('aria-valuetext')).toMatch(/^1 minute, 0 seconds of 1 minute/)
  await tabTo(page, 'Volume')
  await page.keyboard.press('ArrowDown')
  expect((await readVolumeAndSpeed()).volume).toBe(95)
  await tabTo(page, 'Player settings')
  await page.keyboard.press('Enter')
  await page.keyboard.press('ArrowDown')
  await page.keyboard.press('Enter')
  await page.keyboard.press('End')
  await page.keyboard.press('Enter')
  expect(await readVolumeAndSpeed()).toMatchObject({ speed: 2 })
  expect(await page.evaluate(() => document.activeElement!.getAttribute('aria-label'))).toBe('Player settings')

  const before = (await readPlayer()).time
  await tabTo(page, 'Share')
  await page.keyboard.press('Enter')
  await page.getByRole('dialog', { name: 'Share' }).waitFor()
  await page.keyboard.type('jk3')
  expect((await readPlayer()).time).toBe(before)
  expectNoPageErrors(visitor)
  await visitor.context.close()
})

test('settings can be changed by keyboard', async () => {
  const visitor = await site.visit({ reducedMotion: 'reduce' })
  const { page } = visitor
  await page.goto('/login?next=/settings')
  await page.getByLabel('Username or email').waitFor()
  await tabTo(page, 'Username or email')
  await page.keyboard.type('ada')
  await tabTo(page, 'Password')
  await page.keyboard.type('password1')
  await page.keyboard.press('Enter')
  await page.getByLabel('Display name').waitFor()
  await tabTo(page, 'Profile')
  await page.keyboard.press('ArrowRight')
  await page.keyboard.press('ArrowRight')
  await page.getByLabel('Autoplay videos').waitFor()
  expect(await page.evaluate(() => document.activeElement!.textContent)).toBe('Display')
  await tabTo(page, 'Autoplay videos')
  await page.keyboard.press(' ')
  await expect
    .poll(async () => (await site.call('GET /users/me', { token: await site.login('ada', 'password1') })).json.autoPlayVideo)
    .toBe(false)
  expectNoPageErrors(visitor)
  await visitor.context.close()
})
