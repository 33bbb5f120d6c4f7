import sharp from 'sharp'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { uploadVideo } from '../../server/test/upload.ts'
import { expectNoPageErrors, logInThroughForm, openTestSite, type TestSite } from './site.ts'

let site: TestSite
let ada: { token: string; channelId: number }
beforeAll(async () => {
  // The files of a video that is deleted with its channel are left to `sweepOrphanFiles`.
  site = await openTestSite({ video_channels: { max_per_user: 3 }, checkPublishedMedia: false })
  ada = await site.user('ada')
  await site.user('bob')
}, 180_000)
afterAll(async () => await site?.stop())

const makeImageFile = async (width: number, height: number) => ({
  name: 'picture.png',
  mimeType: 'image/png',
  buffer: await sharp({ create: { width, height, channels: 3, background: '#3060a0' } })
    .png()
    .toBuffer()
})

test('a channel is created with live checks of its handle, then gets a banner and a picture', async () => {
  const visitor = await site.visit({ viewport: { width: 390, height: 844 }, hasTouch: true })
  const { page } = visitor
  await logInThroughForm(page, 'ada', 'password1')
  await page.locator('.bar-me').tap()
  await page.getByRole('menuitem', { name: 'My channels' }).tap()
  await page.getByRole('heading', { name: 'Main ada channel' }).waitFor()
  await page.getByRole('link', { name: 'New channel' }).tap()
  await page.getByLabel('Display name').fill('Été à Paris!')
  await expect.poll(async () => await page.getByLabel('Handle').inputValue()).toBe('ete_a_paris')
  await page.getByText('This handle is available.').waitFor()
  const handle = page.getByLabel('Handle')
  await handle.fill('bob_channel')
  await page.getByText('This handle is taken, reserved or has been used before.').waitFor()
  await handle.fill('no spaces')
  await page.getByText('Lowercase letters a to z and digits').waitFor()
  await handle.fill('Paris')
  expect(await handle.inputValue()).toBe('paris')
  await page.getByText('This handle is available.').waitFor()
  await page.getByLabel('Description').fill('ab')
  await page.getByRole('button', { name: 'Create channel' }).tap()
  await page.getByText('This text is too short').waitFor()
  await page.getByLabel('Description').fill('Summer in **Paris**')
  await page.getByLabel('How to support you').fill('Coffee')
  await page.getByRole('button', { name: 'Create channel' }).tap()
  await page.waitForURL('**/my/channels/paris')

  await page
    .getByLabel('Choose a banner')
    .last()
    .setInputFiles(await makeImageFile(1920, 317))
  await page.getByRole('button', { name: 'Remove banner' }).waitFor()
  await page
    .getByLabel('Choose a picture')
    .last()
    .setInputFiles(await makeImageFile(200, 200))
  await page.getByRole('button', { name: 'Remove picture' }).waitFor()
  expect((await site.call('GET /video-channels/paris')).json).toMatchObject({
    displayName: 'Été à Paris!',
    description: 'Summer in **Paris**',
    support: 'Coffee',
    banners: [{}, {}],
    avatars: [{}, {}, {}, {}]
  })
  await page
    .getByLabel('Choose a picture')
    .last()
    .setInputFiles({ name: 'notes.txt', mimeType: 'text/plain', buffer: Buffer.from('no picture') })
  await page.getByText('This file isn’t a PNG, JPEG, WebP or GIF image').waitFor()
  await page.getByRole('button', { name: 'Remove banner' }).tap()
  await expect.poll(async () => (await site.call('GET /video-channels/paris')).json.banners).toEqual([])

  await page.getByLabel('Display name').fill('Paris')
  await page.getByText('Unsaved changes').waitFor()
  await page.getByRole('button', { name: 'Save' }).tap()
  await page.getByText('Saved.').waitFor()
  await page.getByRole('link', { name: 'View channel' }).tap()
  await page.getByRole('heading', { name: 'Paris', exact: true }).waitFor()
  await page.getByRole('link', { name: 'Edit channel' }).waitFor()
  expectNoPageErrors(visitor)
  await visitor.context.close()
})

test('deleting a channel lists what is lost and asks to type its name; its handle stays taken', async () => {
  const created = await site.call('POST /video-channels', { token: ada.token, body: { name: 'doomed', displayName: 'Doomed' } })
  await uploadVideo(site, { token: ada.token, channelId: created.json.videoChannel.id }, { name: 'Lost', privacy: 3 })
  await site.call('POST /users/me/subscriptions', {
    token: await site.login('bob', 'password1'),
    body: { uri: `doomed@${new URL(site.url).host}` }
  })
  const visitor = await site.visit()
  const { page } = visitor
  await logInThroughForm(page, 'ada', 'password1', '/my/channels')
  await page.getByText('You have reached the limit of 3 channels.').waitFor()
  expect(await page.getByRole('link', { name: 'New channel' }).count()).toBe(0)
  await page.getByRole('button', { name: 'More actions for Doomed' }).click()
  await page.getByRole('menuitem', { name: 'Delete channel' }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByRole('listitem').first().waitFor()
  expect(await dialog.getByRole('listitem').allTextContents()).toEqual([
    '1 video, with its comments and files',
    '1 subscriber',
    'The handle @doomed, which can never be used again'
  ])
  const confirmButton = dialog.getByRole('button', { name: 'Delete channel' })
  expect(await confirmButton.isDisabled()).toBe(true)
  expect(await page.evaluate(() => document.activeElement?.tagName)).toBe('INPUT')
  await page.keyboard.type('doom')
  await page.keyboard.press('Enter')
  expect(await confirmButton.isDisabled()).toBe(true)
  await page.keyboard.type('ed')
  await page.keyboard.press('Enter')
  await page.getByText('“Doomed” has been deleted.').waitFor()
  await expect.poll(async () => await page.locator('.own-channel').count()).toBe(2)
  expect((await site.call('GET /video-channels/doomed')).status).toBe(404)
  await page.getByRole('link', { name: 'New channel' }).click()
  await page.getByLabel('Handle').fill('doomed')
  await page.getByText('This handle is taken, reserved or has been used before.').waitFor()
  // The handle was taken between the live check and the submission.
  await page.route(/channel-names/, async route => await route.fulfill({ json: { free: true } }))
  await page.getByLabel('Handle').fill('bob')
  await page.getByLabel('Display name').fill('Bob')
  await page.getByText('This handle is available.').waitFor()
  await page.getByRole('button', { name: 'Create channel' }).click()
  await page.getByText('This handle is taken, reserved or has been used before.').waitFor()
  expectNoPageErrors(visitor)
  await visitor.context.close()
})

test('the last channel cannot be deleted, nor can channels of others be edited', async () => {
  const visitor = await site.visit()
  const { page } = visitor
  await logInThroughForm(page, 'bob', 'password1', '/my/channels/bob_channel')
  await page.getByText('This is your only channel.').waitFor()
  expect(await page.getByRole('button', { name: 'Delete channel' }).count()).toBe(0)
  await page.goto('/my/channels/ada_channel')
  await page.getByRole('heading', { name: 'You can’t edit this channel' }).waitFor()
  await page.goto('/my/channels/nobody')
  await page.getByRole('heading', { name: 'This channel doesn’t exist' }).waitFor()
  await page.goto('/c/ada_channel')
  await page.getByRole('button', { name: 'Subscribe' }).waitFor()
  expect(await page.getByRole('link', { name: 'Edit channel' }).count()).toBe(0)
  expectNoPageErrors(visitor)
  await visitor.context.close()
})
