import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { projectFolder } from '../../server/core/config.ts'
import { runQuery, sql } from '../../server/core/sql.ts'
import { waitForTranscoding, uploadVideo } from '../../server/test/upload.ts'
import { makeFootageBytes } from '../../server/test/footage.ts'
import { openEmbeddingSite, type EmbeddingSite } from './embedding-site.ts'
import { expectVideoToPlay, openTestSite, type TestSite } from './site.ts'

const EMBED_API = join(projectFolder, 'node_modules/@peertube/embed-api/build/player.min.js')

type VideoIds = { id: number; uuid: string; shortUUID: string }
let site: TestSite
let embedder: EmbeddingSite
let video: VideoIds
let lockedVideo: VideoIds
let privateVideo: VideoIds
let unlistedVideo: VideoIds

beforeAll(async () => {
  site = await openTestSite({
    transcoding: { preset: 'ultrafast', resolutions: { '240p': true, '360p': false, '480p': false, '720p': false, '1080p': false } }
  })
  const ada = await site.user('ada')
  const bytes = await makeFootageBytes({ seconds: 4, size: '426x240' })
  video = await uploadVideo(site, ada, { name: 'A film <b>to</b> embed' }, await makeFootageBytes({ seconds: 40, size: '640x360' }))
  lockedVideo = await uploadVideo(site, ada, { name: 'A locked film', privacy: 5, videoPasswords: ['open sesame'] }, bytes)
  privateVideo = await uploadVideo(site, ada, { name: 'A hidden film', privacy: 3 }, bytes)
  unlistedVideo = await uploadVideo(site, ada, { name: 'An unlisted film', privacy: 2 }, bytes)
  for (const { id } of [video, lockedVideo, unlistedVideo]) await waitForTranscoding(site, ada, id)
  await runQuery(sql`
    INSERT INTO video_captions (video_id, language, automatic, filename, url)
    VALUES (${video.id}, 'fr', false, '6f0d5a2e-1111-4222-8333-000000000001.vtt', 'http://127.0.0.1:1/fr.vtt')`)
  embedder = await openEmbeddingSite(site, EMBED_API)
}, 180_000)
afterAll(async () => {
  await embedder?.stop()
  await site?.stop()
})

const videoElement = () => embedder.frame.locator('video')
const readState = async () =>
  await videoElement().evaluate(({ currentTime, paused, muted, loop, playbackRate }: HTMLVideoElement) => ({
    time: currentTime,
    paused,
    muted,
    loop,
    playbackRate
  }))
const openEmbed = async (query: string, { uuid } = video) => await embedder.show(`/videos/embed/${uuid}${query}`)
const waitUntilReady = async () => await expect.poll(async () => await embedder.ask('isReady'), { timeout: 30_000 }).toBe(true)

test("the player plays inside another site's page and follows the parameters of its URL", async () => {
  await openEmbed('?start=20&muted=1&autoplay=1&loop=1&playbackRate=1.5&warningTitle=0&p2p=0&mode=p2p-media-loader')
  await expect.poll(async () => (await readState()).time, { timeout: 30_000 }).toBeGreaterThan(20.5)
  expect(await readState()).toMatchObject({ muted: true, loop: true, playbackRate: 1.5 })
  expect(await embedder.frame.getByRole('link', { name: /A film/ }).getAttribute('href')).toBe(`/w/${video.shortUUID}`)
})

test('parameters of the URL are not stored as choices of the viewer', async () => {
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

test('parameters hide the title, the control bar or all controls, and set colours', async () => {
  await openEmbed('?peertubeLink=0&bigPlayBackgroundColor=rgb(10,20,30)&foregroundColor=url(x)')
  await embedder.frame.getByText('A film <b>to</b> embed').last().waitFor()
  expect(await embedder.frame.getByRole('link').count()).toBe(0)
  expect(
    await embedder.frame
      .locator('.player-start')
      .evaluate(button => [getComputedStyle(button).backgroundColor, getComputedStyle(button).color])
  ).toEqual(['rgb(10, 20, 30)', 'rgb(255, 255, 255)'])
  await openEmbed('?title=0&controlBar=0')
  await embedder.frame.getByRole('button', { name: 'Play' }).waitFor()
  expect(await embedder.frame.getByRole('link').count()).toBe(0)
  expect(await embedder.frame.getByRole('slider').count()).toBe(0)
  await openEmbed('?controls=0&api=1')
  await waitUntilReady()
  expect(await embedder.frame.getByRole('button').count()).toBe(0)
  await videoElement().click()
  expect((await readState()).paused).toBe(true)
})

test('a video stops at the `stop` parameter, or loops there', async () => {
  await openEmbed('?start=10&stop=12&muted=1&autoplay=1')
  await expect
    .poll(
      async () => {
        const { time, paused } = await readState()
        return paused && time >= 12
      },
      { timeout: 30_000 }
    )
    .toBe(true)
  expect((await readState()).time).toBeLessThan(13)
  await embedder.frame.getByRole('button', { name: 'Play' }).first().click()
  await expect.poll(async () => (await readState()).time).toBeGreaterThan(13)
  await openEmbed('?start=10&stop=11s&loop=1&muted=1&autoplay=1')
  await videoElement().evaluate((element: HTMLVideoElement) =>
    element.addEventListener('seeked', () => {
      if (element.currentTime < 10.5) element.dataset.rounds = String(Number(element.dataset.rounds ?? 0) + 1)
    })
  )
  await expect.poll(async () => Number(await videoElement().getAttribute('data-rounds')), { timeout: 30_000 }).toBeGreaterThan(0)
})

test('the embedding page controls the player and receives its events', { timeout: 90_000 }, async () => {
  await openEmbed('?api=1&muted=1')
  await waitUntilReady()
  expect(await embedder.ask('isPlaying')).toBe(false)
  expect(await embedder.ask('getVolume')).toBe(0)
  expect(await embedder.ask('play')).toBe(null)
  await expect.poll(async () => await embedder.ask('isPlaying')).toBe(true)
  await embedder.ask('seek', 25)
  await expect.poll(async () => await embedder.ask('getCurrentTime')).toBeGreaterThan(25)
  await expect
    .poll(async () => (await embedder.events()).findLast(([name]) => name === 'playbackStatusUpdate')?.[1])
    .toMatchObject({ position: expect.any(Number), volume: 0, duration: expect.closeTo(40, 0), playbackState: 'playing' })
  await embedder.ask('pause')
  expect(await embedder.ask('isPlaying')).toBe(false)
  expect(
    (await embedder.events())
      .map(([name, params]) => (name === 'playbackStatusChange' ? params : name))
      .filter(name => ['play', 'pause', 'playing', 'paused', 'unstarted'].includes(name))
  ).toEqual(['playing', 'play', 'paused', 'pause'])

  expect(await embedder.ask('getPlaybackRates')).toEqual([0.5, 0.75, 1, 1.25, 1.5, 1.75, 2])
  await embedder.ask('setPlaybackRate', 1.75)
  expect([await embedder.ask('getPlaybackRate'), (await readState()).playbackRate]).toEqual([1.75, 1.75])
  await embedder.ask('setVolume', 0.4)
  await expect.poll(async () => await embedder.ask('getVolume')).toBe(0.4)
  expect((await embedder.events()).findLast(([name]) => name === 'volumeChange')).toEqual(['volumeChange', 0.4])

  const resolutions = async () => (await embedder.ask('getResolutions')) as { id: number; label: string; active: boolean; height: number }[]
  expect((await resolutions()).map(({ id }) => id)).toEqual([360, 240, -1])
  expect((await resolutions()).find(({ active }) => active)).toMatchObject({ id: -1, label: expect.stringMatching(/^Auto/) })
  await embedder.ask('setResolution', 240)
  expect((await resolutions()).find(({ active }) => active)).toEqual({ id: 240, label: '240p', height: 240, active: true })
  expect((await embedder.events()).some(([name]) => name === 'resolutionUpdate')).toBe(true)

  const captions = async () => (await embedder.ask('getCaptions')) as { id: string; mode: string }[]
  expect(await captions()).toEqual([
    { id: 'fr', label: 'French', src: `${site.url}/lazy-static/video-captions/6f0d5a2e-1111-4222-8333-000000000001.vtt`, mode: 'disabled' }
  ])
  await embedder.ask('setCaption', 'fr')
  await expect.poll(async () => (await captions())[0]!.mode).toBe('showing')
  await embedder.ask('setCaption', null)
  await expect.poll(async () => (await captions())[0]!.mode).toBe('disabled')
  expect(await embedder.ask('getImageDataUrl')).toMatch(/^data:image\/jpeg;base64,.{1000}/)
})

test('invalid calls are answered with an error, and the player keeps working', async () => {
  await openEmbed('?api=1&muted=1&subtitle=fr')
  await waitUntilReady()
  await expect.poll(async () => ((await embedder.ask('getCaptions')) as { mode: string }[])[0]!.mode).toBe('showing')
  for (const [method, params] of [
    ['seek', 'x'],
    ['seek', null],
    ['setPlaybackRate', 99],
    ['setResolution', 12345],
    ['setCaption', 'xx'],
    ['setVolume', '1'],
    ['setVideoPassword', 5]
  ] as const) {
    expect([method, params, await embedder.ask(method, params)]).toEqual([
      method,
      params,
      { error: 'invalid_params', message: expect.any(String) }
    ])
  }
  expect(await embedder.ask('playNextVideo')).toMatchObject({ error: 'no_playlist' })
  expect(await embedder.ask('format')).toMatchObject({ error: 'method_not_found' })
  expect(await embedder.ask('seek', 1e9)).toBe(null)
  await expect.poll(async () => await embedder.ask('getCurrentTime')).toBeGreaterThan(38)
  expect(await embedder.ask('seek', -5)).toBe(null)
  await expect.poll(async () => await embedder.ask('getCurrentTime')).toBe(0)
})

test('calls are not answered without the `api` parameter', async () => {
  await openEmbed('?muted=1')
  await embedder.frame.getByRole('button', { name: 'Play' }).first().waitFor()
  const reply = await embedder.page.evaluate(
    async () => await Promise.race([(window as any).shout('isReady'), new Promise(resolve => setTimeout(resolve, 400, 'silence'))])
  )
  expect(reply).toBe('silence')
  expect(await embedder.events()).toEqual([])
})

test('a password-protected video is unlocked through the form', async () => {
  await openEmbed('', lockedVideo)
  await embedder.frame.getByLabel('Video password').fill('let me in')
  await embedder.frame.getByRole('button', { name: 'Watch' }).click()
  await embedder.frame.getByText('Incorrect password.').waitFor()
  await embedder.frame.getByLabel('Video password').fill('open sesame')
  await embedder.frame.getByRole('button', { name: 'Watch' }).click()
  await embedder.frame.getByRole('button', { name: 'Play' }).first().click()
  await expect.poll(async () => (await readState()).time, { timeout: 30_000 }).toBeGreaterThan(0.3)
})

test('the embedding page can send the password, but gets no frames of the video', async () => {
  const secondEmbedder = await openEmbeddingSite(site)
  await secondEmbedder.show(`/videos/embed/${lockedVideo.uuid}?api=1&waitPasswordFromEmbedAPI=1&muted=1`)
  await secondEmbedder.frame.locator('[aria-busy="true"]').waitFor({ state: 'attached' })
  await expect.poll(async () => await secondEmbedder.ask('isReady')).toBe(false)
  expect(await secondEmbedder.frame.getByLabel('Video password').count()).toBe(0)
  expect(await secondEmbedder.ask('play')).toMatchObject({ error: 'not_ready' })
  await secondEmbedder.ask('setVideoPassword', 'wrong')
  await secondEmbedder.frame.getByLabel('Video password').waitFor()
  await secondEmbedder.ask('setVideoPassword', 'open sesame')
  await expect.poll(async () => await secondEmbedder.ready(), { timeout: 30_000 }).toBe(1)
  await secondEmbedder.ask('play')
  await expect.poll(async () => await secondEmbedder.ask('getCurrentTime'), { timeout: 30_000 }).toBeGreaterThan(0.2)
  expect(await secondEmbedder.ask('getImageDataUrl')).toMatchObject({ error: 'not_open' })
  await secondEmbedder.stop()
})

test('a private video is not shown, an unlisted one is; only the player can be framed', async () => {
  await openEmbed('?api=1', privateVideo)
  await embedder.frame.getByRole('heading', { name: 'Restricted video' }).waitFor()
  expect(await embedder.frame.locator(':root').textContent()).not.toContain('hidden film')
  await openEmbed('', unlistedVideo)
  await embedder.frame.getByRole('link', { name: 'An unlisted film' }).waitFor()
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
  const blocked = embedder.page.waitForEvent('requestfailed', request => request.url() === `${site.url}/`).catch(() => null)
  await embedder.show('/')
  await blocked
  expect(await embedder.page.frames()[1]!.locator('.bar').count()).toBe(0)
})

test('@peertube/embed-api controls the player', async () => {
  await openEmbed('?api=1&muted=1')
  const result = await embedder.page.evaluate(async () => {
    const events: string[] = []
    const player = new (window as any).PeerTubePlayer(document.querySelector('iframe'))
    await player.ready
    for (const name of ['play', 'pause', 'playbackStatusChange', 'playbackStatusUpdate', 'volumeChange', 'resolutionUpdate'])
      player.addEventListener(name, () => {
        if (!events.includes(name)) events.push(name)
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
      events: events.sort(),
      refused,
      volume,
      time,
      rate,
      playing,
      caption: captions[0].mode,
      height: resolutions.find(({ active }: { active: boolean }) => active).height
    }
  })
  expect(result).toMatchObject({
    events: ['pause', 'play', 'playbackStatusChange', 'playbackStatusUpdate', 'resolutionUpdate', 'volumeChange'],
    refused: 'invalid_params',
    volume: 0.3,
    rate: 1.25,
    playing: false,
    caption: 'showing',
    height: 240
  })
  expect(result.time).toBeGreaterThanOrEqual(10)
})
