import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { projectFolder } from '../../server/core/config.ts'
import { runQuery, sql } from '../../server/core/sql.ts'
import { waitForTranscoding, uploadVideo } from '../../server/test/upload.ts'
import { makeFootageBytes } from '../../server/test/footage.ts'
import { openEmbeddingSite, type EmbeddingSite } from './embedding-site.ts'
import { expectVideoToPlay, openTestSite, type TestSite } from './site.ts'

const LIBRARY = join(projectFolder, 'node_modules/@peertube/embed-api/build/player.min.js')

type Names = { id: number; uuid: string; shortUUID: string }
let site: TestSite
let other: EmbeddingSite
let video: Names
let locked: Names
let hidden: Names
let unlisted: Names

beforeAll(async () => {
  site = await openTestSite({
    transcoding: { preset: 'ultrafast', resolutions: { '240p': true, '360p': false, '480p': false, '720p': false, '1080p': false } }
  })
  const ada = await site.user('ada')
  const bytes = await makeFootageBytes({ seconds: 4, size: '426x240' })
  video = await uploadVideo(site, ada, { name: 'A film <b>to</b> embed' }, await makeFootageBytes({ seconds: 40, size: '640x360' }))
  locked = await uploadVideo(site, ada, { name: 'A locked film', privacy: 5, videoPasswords: ['open sesame'] }, bytes)
  hidden = await uploadVideo(site, ada, { name: 'A hidden film', privacy: 3 }, bytes)
  unlisted = await uploadVideo(site, ada, { name: 'An unlisted film', privacy: 2 }, bytes)
  for (const { id } of [video, locked, unlisted]) await waitForTranscoding(site, ada, id)
  await runQuery(
    sql`INSERT INTO video_captions (video_id, language, automatic, filename, url) VALUES (${video.id}, 'fr', false, '6f0d5a2e-1111-4222-8333-000000000001.vtt', 'http://127.0.0.1:1/fr.vtt')`
  )
  other = await openEmbeddingSite(site, existsSync(LIBRARY) ? LIBRARY : undefined)
}, 180_000)
afterAll(async () => {
  await other?.stop()
  await site?.stop()
})

const media = () => other.frame.locator('video')
const state = async () =>
  await media().evaluate(({ currentTime, paused, muted, loop, playbackRate }: HTMLVideoElement) => ({
    time: currentTime,
    paused,
    muted,
    loop,
    playbackRate
  }))
const show = async (query: string, { uuid } = video) => await other.show(`/videos/embed/${uuid}${query}`)
const ready = async () => await expect.poll(async () => await other.ask('isReady'), { timeout: 30_000 }).toBe(true)

test("the player plays inside another site's page, and obeys its address", async () => {
  await show('?start=20&muted=1&autoplay=1&loop=1&playbackRate=1.5&warningTitle=0&p2p=0&mode=p2p-media-loader')
  await expect.poll(async () => (await state()).time, { timeout: 30_000 }).toBeGreaterThan(20.5)
  expect(await state()).toMatchObject({ muted: true, loop: true, playbackRate: 1.5 })
  expect(await other.frame.getByRole('link', { name: /A film/ }).getAttribute('href')).toBe(`/w/${video.shortUUID}`)
})

test('what an address wishes is not kept as if the viewer had chosen it', async () => {
  const { page, context } = await site.visit()
  await page.goto(`/videos/embed/${video.uuid}?muted=1&autoplay=1&subtitle=fr`)
  await expectVideoToPlay(page, 0.3)
  expect(await page.evaluate(() => ['volume', 'quality', 'captions', 'places'].map(key => localStorage.getItem(`bobine.${key}`)))).toEqual([
    null,
    null,
    null,
    null
  ])
  await page.keyboard.press('m')
  await expect.poll(async () => await page.evaluate(() => localStorage.getItem('bobine.volume'))).toBe('{"volume":1,"muted":false}')
  await context.close()
})

test('title, bar, all controls and colours can be wished away or otherwise', async () => {
  await show('?peertubeLink=0&bigPlayBackgroundColor=rgb(10,20,30)&foregroundColor=url(x)')
  await other.frame.getByText('A film <b>to</b> embed').last().waitFor()
  expect(await other.frame.getByRole('link').count()).toBe(0)
  expect(
    await other.frame
      .locator('.player-start')
      .evaluate(button => [getComputedStyle(button).backgroundColor, getComputedStyle(button).color])
  ).toEqual(['rgb(10, 20, 30)', 'rgb(255, 255, 255)'])
  await show('?title=0&controlBar=0')
  await other.frame.getByRole('button', { name: 'Play' }).waitFor()
  expect(await other.frame.getByRole('link').count()).toBe(0)
  expect(await other.frame.getByRole('slider').count()).toBe(0)
  await show('?controls=0&api=1')
  await ready()
  expect(await other.frame.getByRole('button').count()).toBe(0)
  await media().click()
  expect((await state()).paused).toBe(true)
})

test('a video stops where its address says, or goes round there', async () => {
  await show('?start=10&stop=12&muted=1&autoplay=1')
  await expect
    .poll(
      async () => {
        const { time, paused } = await state()
        return paused && time >= 12
      },
      { timeout: 30_000 }
    )
    .toBe(true)
  expect((await state()).time).toBeLessThan(13)
  await other.frame.getByRole('button', { name: 'Play' }).first().click()
  await expect.poll(async () => (await state()).time).toBeGreaterThan(13)
  await show('?start=10&stop=11s&loop=1&muted=1&autoplay=1')
  await media().evaluate((element: HTMLVideoElement) =>
    element.addEventListener('seeked', () => {
      if (element.currentTime < 10.5) element.dataset.rounds = String(Number(element.dataset.rounds ?? 0) + 1)
    })
  )
  await expect.poll(async () => Number(await media().getAttribute('data-rounds')), { timeout: 30_000 }).toBeGreaterThan(0)
})

test('the page around commands the player and hears of it', { timeout: 90_000 }, async () => {
  await show('?api=1&muted=1')
  await ready()
  expect(await other.ask('isPlaying')).toBe(false)
  expect(await other.ask('getVolume')).toBe(0)
  expect(await other.ask('play')).toBe(null)
  await expect.poll(async () => await other.ask('isPlaying')).toBe(true)
  await other.ask('seek', 25)
  await expect.poll(async () => await other.ask('getCurrentTime')).toBeGreaterThan(25)
  await expect
    .poll(async () => (await other.events()).findLast(([name]) => name === 'playbackStatusUpdate')?.[1])
    .toMatchObject({ position: expect.any(Number), volume: 0, duration: expect.closeTo(40, 0), playbackState: 'playing' })
  await other.ask('pause')
  expect(await other.ask('isPlaying')).toBe(false)
  expect(
    (await other.events())
      .map(([name, params]) => (name === 'playbackStatusChange' ? params : name))
      .filter(name => ['play', 'pause', 'playing', 'paused', 'unstarted'].includes(name))
  ).toEqual(['playing', 'play', 'paused', 'pause'])

  expect(await other.ask('getPlaybackRates')).toEqual([0.5, 0.75, 1, 1.25, 1.5, 1.75, 2])
  await other.ask('setPlaybackRate', 1.75)
  expect([await other.ask('getPlaybackRate'), (await state()).playbackRate]).toEqual([1.75, 1.75])
  await other.ask('setVolume', 0.4)
  await expect.poll(async () => await other.ask('getVolume')).toBe(0.4)
  expect((await other.events()).findLast(([name]) => name === 'volumeChange')).toEqual(['volumeChange', 0.4])

  const resolutions = async () => (await other.ask('getResolutions')) as { id: number; label: string; active: boolean; height: number }[]
  expect((await resolutions()).map(({ id }) => id)).toEqual([360, 240, -1])
  expect((await resolutions()).find(({ active }) => active)).toMatchObject({ id: -1, label: expect.stringMatching(/^Auto/) })
  await other.ask('setResolution', 240)
  expect((await resolutions()).find(({ active }) => active)).toEqual({ id: 240, label: '240p', height: 240, active: true })
  expect((await other.events()).some(([name]) => name === 'resolutionUpdate')).toBe(true)

  const captions = async () => (await other.ask('getCaptions')) as { id: string; mode: string }[]
  expect(await captions()).toEqual([
    { id: 'fr', label: 'French', src: `${site.url}/lazy-static/video-captions/6f0d5a2e-1111-4222-8333-000000000001.vtt`, mode: 'disabled' }
  ])
  await other.ask('setCaption', 'fr')
  await expect.poll(async () => (await captions())[0]!.mode).toBe('showing')
  await other.ask('setCaption', null)
  await expect.poll(async () => (await captions())[0]!.mode).toBe('disabled')
  expect(await other.ask('getImageDataUrl')).toMatch(/^data:image\/jpeg;base64,.{1000}/)
})

test('what makes no sense is refused in words, and the player goes on', async () => {
  await show('?api=1&muted=1&subtitle=fr')
  await ready()
  await expect.poll(async () => ((await other.ask('getCaptions')) as { mode: string }[])[0]!.mode).toBe('showing')
  for (const [method, params] of [
    ['seek', 'x'],
    ['seek', null],
    ['setPlaybackRate', 99],
    ['setResolution', 12345],
    ['setCaption', 'xx'],
    ['setVolume', '1'],
    ['setVideoPassword', 5]
  ] as const) {
    expect([method, params, await other.ask(method, params)]).toEqual([
      method,
      params,
      { error: 'invalid_params', message: expect.any(String) }
    ])
  }
  expect(await other.ask('playNextVideo')).toMatchObject({ error: 'no_playlist' })
  expect(await other.ask('format')).toMatchObject({ error: 'method_not_found' })
  expect(await other.ask('seek', 1e9)).toBe(null)
  await expect.poll(async () => await other.ask('getCurrentTime')).toBeGreaterThan(38)
  expect(await other.ask('seek', -5)).toBe(null)
  await expect.poll(async () => await other.ask('getCurrentTime')).toBe(0)
})

test('nobody is answered who did not ask for it in the address', async () => {
  await show('?muted=1')
  await other.frame.getByRole('button', { name: 'Play' }).first().waitFor()
  const answer = await other.page.evaluate(
    async () => await Promise.race([(window as any).shout('isReady'), new Promise(resolve => setTimeout(resolve, 400, 'silence'))])
  )
  expect(answer).toBe('silence')
  expect(await other.events()).toEqual([])
})

test('a locked video takes its password from a person or from the page around', async () => {
  await show('', locked)
  await other.frame.getByLabel('Password of the video').fill('let me in')
  await other.frame.getByRole('button', { name: 'Watch' }).click()
  await other.frame.getByText('That is not the password.').waitFor()
  await other.frame.getByLabel('Password of the video').fill('open sesame')
  await other.frame.getByRole('button', { name: 'Watch' }).click()
  await other.frame.getByRole('button', { name: 'Play' }).first().click()
  await expect.poll(async () => (await state()).time, { timeout: 30_000 }).toBeGreaterThan(0.3)
})

test('the page around gives the password, and gets no pictures for it', async () => {
  const own = await openEmbeddingSite(site)
  await own.show(`/videos/embed/${locked.uuid}?api=1&waitPasswordFromEmbedAPI=1&muted=1`)
  await own.frame.locator('[aria-busy="true"]').waitFor({ state: 'attached' })
  await expect.poll(async () => await own.ask('isReady')).toBe(false)
  expect(await own.frame.getByLabel('Password of the video').count()).toBe(0)
  expect(await own.ask('play')).toMatchObject({ error: 'not_ready' })
  await own.ask('setVideoPassword', 'wrong')
  await own.frame.getByLabel('Password of the video').waitFor()
  await own.ask('setVideoPassword', 'open sesame')
  await expect.poll(async () => await own.ready(), { timeout: 30_000 }).toBe(1)
  await own.ask('play')
  await expect.poll(async () => await own.ask('getCurrentTime'), { timeout: 30_000 }).toBeGreaterThan(0.2)
  expect(await own.ask('getImageDataUrl')).toMatchObject({ error: 'not_open' })
  await own.stop()
})

test('what is closed stays closed, what is unlisted opens by its link; nothing but the player can be framed', async () => {
  await show('?api=1', hidden)
  await other.frame.getByRole('heading', { name: 'Closed video' }).waitFor()
  expect(await other.frame.locator(':root').textContent()).not.toContain('hidden film')
  await show('', unlisted)
  await other.frame.getByRole('link', { name: 'An unlisted film' }).waitFor()
  for (const path of ['/', `/w/${video.shortUUID}`, '/login', '/offline']) {
    const { headers } = await site.call(`GET /${path}`)
    expect([path, headers.get('x-frame-options'), /frame-ancestors 'none'/.test(headers.get('content-security-policy') ?? '')]).toEqual([
      path,
      'DENY',
      true
    ])
  }
  const { headers } = await site.call(`GET //videos/embed/${video.uuid}`)
  expect([headers.get('x-frame-options'), headers.get('content-security-policy')]).toEqual([
    null,
    expect.not.stringContaining('frame-ancestors')
  ])
  const blocked = other.page.waitForEvent('requestfailed', request => request.url() === `${site.url}/`).catch(() => null)
  await other.show('/')
  await blocked
  expect(await other.page.frames()[1]!.locator('.bar').count()).toBe(0)
})

test.skipIf(!existsSync(LIBRARY))("the published library of PeerTube's embeds works with it", async () => {
  await show('?api=1&muted=1')
  const told = await other.page.evaluate(async () => {
    const told: string[] = []
    const player = new (window as any).PeerTubePlayer(document.querySelector('iframe'))
    await player.ready
    for (const name of ['play', 'pause', 'playbackStatusChange', 'playbackStatusUpdate', 'volumeChange', 'resolutionUpdate'])
      player.addEventListener(name, () => {
        if (!told.includes(name)) told.push(name)
      })
    await player.play()
    await player.seek(10)
    await player.setVolume(0.3)
    await player.setResolution(240)
    await player.setPlaybackRate(1.25)
    await player.setCaption('fr')
    await player.pause()
    await new Promise(resolve => setTimeout(resolve, 700))
    const refused = await player.setPlaybackRate(99).then(
      () => null,
      (error: unknown) => error
    )
    const [volume, time, rate, playing, captions, resolutions] = await Promise.all([
      player.getVolume(),
      player.getCurrentTime(),
      player.getPlaybackRate(),
      player.isPlaying(),
      player.getCaptions(),
      player.getResolutions()
    ])
    return {
      told: told.sort(),
      refused,
      volume,
      time,
      rate,
      playing,
      caption: captions[0].mode,
      height: resolutions.find((one: { active: boolean }) => one.active).height
    }
  })
  expect(told).toMatchObject({
    told: ['pause', 'play', 'playbackStatusChange', 'playbackStatusUpdate', 'resolutionUpdate', 'volumeChange'],
    refused: 'invalid_params',
    volume: 0.3,
    rate: 1.25,
    playing: false,
    caption: 'showing',
    height: 240
  })
  expect(told.time).toBeGreaterThanOrEqual(10)
})
