import { execFile } from 'node:child_process'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { runQuery, sql } from '../core/sql.ts'
import type { SubtitleStream } from '../media/ffprobe-streams.ts'
import { SUBTITLES } from '../media/subtitle-internals.ts'
import { makeFootageWithSubtitles, type SubtitleTags } from '../test/footage.ts'
import { eventually, startTestInstance, type TestInstance } from '../test/instance.ts'
import { uploadVideo, waitForTranscoding } from '../test/upload.ts'
import { chooseSubtitleTracks } from './embedded.ts'
import { enqueueOpenTranscodings } from './reconcile-transcoding.job.ts'

const exec = promisify(execFile)
let site: TestInstance
let alice: Awaited<ReturnType<TestInstance['user']>>
beforeAll(async () => {
  site = await startTestInstance({ transcoding: { original_file: { keep: true } } })
  alice = await site.user('alice')
})
afterAll(async () => await site?.stop())

const upload = async (tracks: SubtitleTags[], fields = {}): Promise<string> => {
  const { uuid } = await uploadVideo(site, alice, fields, await makeFootageWithSubtitles(tracks))
  await waitForTranscoding(site, alice, uuid)
  return uuid
}
const readTracks = async (uuid: string) =>
  await runQuery<{ language: string; kind: string }>(sql`
    SELECT c.language, c.kind FROM additional_captions c JOIN videos v ON v.id = c.video_id WHERE v.uuid = ${uuid} ORDER BY 1, 2`)
/** The cues of the captions that the API lists, by language. */
const readCaptions = async (uuid: string) => {
  const { data } = (await site.call(`GET /videos/${uuid}/captions`)).json
  return await Promise.all(
    data.map(async ({ language, captionPath }: { language: { id: string }; captionPath: string }) => {
      const text = await (await fetch(site.url + captionPath)).text()
      return [language.id, text.replace(/^WEBVTT\n\n.*\n/, '').trim()]
    })
  )
}
const readAnnouncedLanguages = async (uuid: string) => {
  const response = await fetch(`${site.url}/videos/watch/${uuid}`, { headers: { accept: 'application/activity+json' } })
  return ((await response.json()) as { subtitleLanguage: { identifier: string }[] }).subtitleLanguage.map(({ identifier }) => identifier)
}

describe('the choice of streams', () => {
  const stream = (index: number, language: string | null, more: Partial<SubtitleStream> = {}) => ({ index, language, ...more })
  const choose = (streams: SubtitleStream[], language: string | null = null, existing: Parameters<typeof chooseSubtitleTracks>[2] = []) =>
    chooseSubtitleTracks(streams, language, existing).map(track => [track.stream.index, track.language, track.kind])

  it('is the default of a language and kind, else the first', () => {
    const streams = [
      stream(2, 'eng', { kind: 'forced' }),
      stream(3, 'eng', { kind: 'subtitles' }),
      stream(4, 'eng', { kind: 'subtitles', main: true }),
      stream(5, 'eng', { kind: 'hearing_impaired' }),
      stream(6, 'fre', { kind: 'forced' }),
      stream(7, 'fre', { kind: 'forced' })
    ]
    expect(choose(streams)).toEqual([
      [4, 'en', 'subtitles'],
      [2, 'en', 'forced'],
      [5, 'en', 'hearing_impaired'],
      [6, 'fr', 'forced']
    ])
  })

  it('takes streams of older probes as full subtitles, and those without a language as the language of the video', () => {
    const streams = [stream(2, null), stream(3, 'xx-unknown'), stream(4, 'ger')]
    expect(choose(streams, 'de')).toEqual([[2, 'de', 'subtitles']])
    expect(choose(streams)).toEqual([[4, 'de', 'subtitles']])
  })

  it('leaves out what the video has, and too many', () => {
    const forced = stream(2, 'eng', { kind: 'forced' })
    expect(choose([forced, stream(3, 'eng')], null, [{ language: 'en', kind: 'forced' }])).toEqual([[3, 'en', 'subtitles']])
    const languages =
      'aa ab af ak sq am ar an hy as av ay az ba eu be bn bs br bg my ca ch ce ny cv kw co cr hr cs da dv nl dz en et ee fo fj fi fr'
    const kinds = ['subtitles', 'forced', 'hearing_impaired'] as const
    const many = languages.split(' ').flatMap((language, index) => kinds.map(kind => stream(index, language, { kind })))
    expect(choose(many).length).toBe(SUBTITLES.maxTracks)
  })
})

describe('the import', () => {
  it('gives a language its full track, whatever comes first, and stores the others with their kind', async () => {
    const uuid = await upload(
      [
        { text: 'A sign', language: 'eng', disposition: 'forced' },
        { text: 'Beep', language: 'eng', disposition: 'hearing_impaired' },
        { text: 'All <script> --> words', language: 'eng' },
        { text: 'Un panneau', language: 'fre', title: 'Forcé' },
        { text: 'Piep', language: 'ger', title: 'Deutsch (Hörgeschädigte)' },
        { text: 'Described', language: 'spa', disposition: 'descriptions' }
      ],
      { language: 'en' }
    )
    // German has nothing but subtitles for the hearing impaired; French signs are no captions.
    expect(await readCaptions(uuid)).toEqual([
      ['de', 'Piep'],
      ['en', 'All &lt;script&gt; --&gt; words']
    ])
    expect(await readAnnouncedLanguages(uuid)).toEqual(['de', 'en'])
    expect(await readTracks(uuid)).toEqual([
      { language: 'de', kind: 'hearing_impaired' },
      { language: 'en', kind: 'forced' },
      { language: 'en', kind: 'hearing_impaired' },
      { language: 'fr', kind: 'forced' }
    ])
    expect(await readdir(join(site.folder, 'captions'))).toHaveLength(5)
    expect((await site.call(`DELETE /videos/${uuid}`, { token: alice.token })).status).toBe(204)
    await eventually(async () => (await readdir(join(site.folder, 'captions'))).length === 0, 10, 'the removal')
  })

  it('happens once: what was deleted does not come back with the next encoding', async () => {
    const uuid = await upload([
      { text: 'All', language: 'eng' },
      { text: 'Sign', language: 'eng', disposition: 'forced' }
    ])
    const [video] = await runQuery<{ id: number }>(sql`SELECT id FROM videos WHERE uuid = ${uuid}`)
    const encodeAgain = async () => {
      const deleteCaption = async (address: string) =>
        expect((await site.call(`DELETE /videos/${uuid}/captions/${address}`, { token: alice.token })).status).toBe(204)
      for (const { language, kind } of await readTracks(uuid)) await deleteCaption(`${language}?kind=${kind}`)
      for (const [language] of await readCaptions(uuid)) await deleteCaption(language!)
      await runQuery(sql`UPDATE transcodings SET state = 'waiting', not_before = now() WHERE video_id = ${video!.id}`)
      await enqueueOpenTranscodings()
      await waitForTranscoding(site, alice, uuid)
    }
    await encodeAgain()
    expect([await readCaptions(uuid), await readTracks(uuid)]).toEqual([[], []])
    // Of before this was noted, with a probe that says only the language.
    await runQuery(sql`UPDATE video_sources SET embedded_imported = false,
      probe = jsonb_set(probe, '{subtitles}', '[{"index": 1, "language": "eng"}, {"index": 2, "language": "eng"}]') WHERE video_id = ${video!.id}`)
    await encodeAgain()
    expect([await readCaptions(uuid), await readTracks(uuid)]).toEqual([[['en', 'All']], [{ language: 'en', kind: 'forced' }]])
  })
})

describe('the HLS playlists', () => {
  const TRACKS = [
    { text: 'A sign', language: 'eng', disposition: 'forced' },
    { text: 'Beep', language: 'eng', disposition: 'hearing_impaired' },
    { text: 'All', language: 'eng' },
    { text: 'Alles', language: 'ger' }
  ]
  const readMaster = async (url: string) => {
    const response = await fetch(url)
    const text = await response.text()
    const attribute = (line: string, name: string) => new RegExp(`[:,]${name}="?([^",]*)`).exec(line)?.[1]
    return text
      .split('\n')
      .filter(line => line.includes('TYPE=SUBTITLES'))
      .map(line => ({
        name: attribute(line, 'NAME'),
        language: attribute(line, 'LANGUAGE'),
        forced: attribute(line, 'FORCED'),
        described: attribute(line, 'CHARACTERISTICS') !== undefined,
        url: new URL(attribute(line, 'URI')!, url).href
      }))
  }
  const expectedTracks = [
    { name: 'Deutsch', language: 'de', forced: undefined, described: false },
    { name: 'English', language: 'en', forced: undefined, described: false },
    { name: 'English (SDH)', language: 'en', forced: undefined, described: true },
    { name: 'English (forced)', language: 'en', forced: 'YES', described: false }
  ]
  const withoutUrls = (tracks: Awaited<ReturnType<typeof readMaster>>) =>
    tracks.map(({ name, language, forced, described }) => ({ name, language, forced, described }))
  const readText = async (url: string) => {
    const response = await fetch(url)
    return { status: response.status, type: response.headers.get('content-type'), text: await response.text() }
  }
  const segmentOf = (playlist: string, url: string) =>
    new URL(
      playlist.split('\n').find(line => line !== '' && !line.startsWith('#'))!,
      url
    ).href

  it('list all subtitles, which resolve to their text until they are deleted', async () => {
    const uuid = await upload(TRACKS)
    const [playlist] = (await site.call(`GET /videos/${uuid}`)).json.streamingPlaylists
    const tracks = await readMaster(playlist.playlistUrl)
    expect(withoutUrls(tracks)).toEqual(expectedTracks)
    const texts = await Promise.all(
      tracks.map(async ({ url }) => {
        const { status, type, text } = await readText(url)
        expect([status, type]).toEqual([200, 'application/vnd.apple.mpegurl'])
        expect(text).toMatch(/#EXT-X-TARGETDURATION:4\n[^]*#EXTINF:4\.0\d+,\n\S+\.vtt\n#EXT-X-ENDLIST\n$/)
        const segment = await readText(segmentOf(text, url))
        expect([segment.status, segment.type]).toEqual([200, 'text/vtt; charset=utf-8'])
        return segment.text
      })
    )
    expect(texts).toEqual(['Alles', 'All', 'Beep', 'A sign'].map(text => `WEBVTT\n\n00:01.000 --> 00:02.000\n${text}\n`))
    // A player of another maker sees them.
    const { stdout } = await exec('ffprobe', [
      ...['-v', 'error', '-select_streams', 's', '-show_entries', 'stream=codec_name:stream_tags=language', '-of', 'csv=p=0'],
      ...['-strict', 'experimental', playlist.playlistUrl]
    ])
    expect([...new Set(stdout.match(/webvtt,\w+/g))].sort()).toEqual(['webvtt,de', 'webvtt,en'])
    const remove = async (address: string) => (await site.call(`DELETE /videos/${uuid}/captions/${address}`, { token: alice.token })).status
    expect([await remove('en?kind=forced'), await remove('de')]).toEqual([204, 204])
    // Followers are told.
    const [update] = await runQuery<{ type: string; languages: { identifier: string }[] }>(sql`
      SELECT type, activity -> 'object' -> 'subtitleLanguage' AS languages FROM outgoing WHERE subject LIKE ${`%/${uuid}`} ORDER BY id DESC LIMIT 1`)
    expect([update?.type, update?.languages.map(({ identifier }) => identifier)]).toEqual(['Update', ['en']])
    expect(withoutUrls(await readMaster(playlist.playlistUrl))).toEqual(expectedTracks.slice(1, 3))
    for (const deleted of [tracks[0]!, tracks[3]!]) expect((await readText(deleted.url)).status).toBe(404)
    tracks.pop()
    tracks.shift()
    // Names of other videos, and none.
    const other = await upload([{ text: 'Other', language: 'eng' }])
    for (const { url } of tracks) {
      expect((await readText(url.replace(uuid, other))).status).toBe(404)
      expect((await readText(segmentOf((await readText(url)).text, url).replace(uuid, other))).status).toBe(404)
    }
    for (const name of ['x-subtitles.m3u8', 'x.vtt', '-subtitles.m3u8', '%27-subtitles.m3u8', '..%2f-subtitles.m3u8'])
      expect((await readText(new URL(name, playlist.playlistUrl).href)).status).toBe(404)
  })

  it('of a private video need a token, which they pass on', async () => {
    const uuid = await upload(TRACKS, { privacy: 3 })
    const [playlist] = (await site.call(`GET /videos/${uuid}`, { token: alice.token })).json.streamingPlaylists
    const { files } = (await site.call(`POST /videos/${uuid}/token`, { token: alice.token })).json
    const tracks = await readMaster(`${playlist.playlistUrl}?videoFileToken=${files.token}&reinjectVideoFileToken=true`)
    expect(withoutUrls(tracks)).toEqual(expectedTracks)
    for (const { url } of tracks) {
      const { status, text } = await readText(url)
      expect(status).toBe(200)
      const segment = segmentOf(text, url)
      expect((await readText(segment)).text).toMatch(/^WEBVTT/)
      for (const address of [url, segment]) {
        expect((await readText(address.split('?')[0]!)).status).toBe(403)
        expect((await readText(address.replace(/videoFileToken=[^&]+/, 'videoFileToken=x'))).status).toBe(403)
      }
      expect((await fetch(segment, { method: 'HEAD' })).headers.get('cache-control')).toBe('private, no-store')
    }
  })
})
