import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { runQuery, sql } from '../core/sql.ts'
import { requestObjectRefresh } from './object-refreshes.ts'
import { sweepIncoming } from './sweep-incoming.job.ts'
import { startScriptedPeerTube, type ScriptedPeerTube, type ScriptedVideo } from '../test/scripted-peertube.ts'
import { eventually, startTestInstance, type TestInstance } from '../test/instance.ts'

let site: TestInstance
let peertube: ScriptedPeerTube

beforeAll(async () => {
  site = await startTestInstance({
    federation: { inbox: { per_host: { max: 100_000 } }, fetch: { per_host: { max: 100_000 } } },
    internals: { inbox: { checkInterval: 300, refreshDelay: 1000, retryDelay: 100 } }
  })
  peertube = await startScriptedPeerTube(() => `${site.url}/inbox`)
  await peertube.follow()
}, 60_000)
afterAll(async () => {
  await peertube?.peer.stop()
  await site?.stop()
})

const stored = async ({ id }: ScriptedVideo) =>
  (
    await runQuery<{ name: string; captions: string[]; playlist: string | null }>(sql`
      SELECT name, ARRAY(SELECT language FROM video_captions WHERE video_id = videos.id ORDER BY 1) AS captions,
        (SELECT url FROM remote_playlists WHERE video_id = videos.id) AS playlist
      FROM videos WHERE url = ${id} AND privacy = 1`)
  )[0] ?? null
/** What this instance should have of a video. */
const expected = ({ state, name, captions, playlist }: ScriptedVideo) =>
  state === 'public' ? { name, captions: [...captions].sort(), playlist } : null
const expectStateOfOrigin = async (video: ScriptedVideo, message = '') => {
  const wanted = JSON.stringify(expected(video))
  await eventually(async () => JSON.stringify(await stored(video)) === wanted, 20, `${message} ${wanted}`).catch(async error => {
    throw new Error(`${error.message}; stored: ${JSON.stringify(await stored(video))}`)
  })
}
const fetchesOf = ({ id }: ScriptedVideo) => peertube.peer.asked.filter(path => path === new URL(id).pathname).length

describe('activities of PeerTube, which reuses their ids', () => {
  it('a caption, then another, then other files arrive, though the time of change is the same', async () => {
    const { video, activity } = peertube.publish()
    await peertube.deliver(activity)
    await expectStateOfOrigin(video)
    for (const change of [
      () => peertube.addCaption(video, 'en'),
      () => peertube.addCaption(video, 'fr'),
      () => peertube.replaceFiles(video)
    ]) {
      await peertube.deliver(change())
      await expectStateOfOrigin(video)
    }
  })

  it('a video is private, public, private, public and deleted', async () => {
    const { video, activity } = peertube.publish()
    await peertube.deliver(activity)
    await expectStateOfOrigin(video)
    for (const change of [peertube.makePrivate, peertube.makePublic, peertube.makePrivate, peertube.makePublic, peertube.remove]) {
      await peertube.deliver(change(video))
      await expectStateOfOrigin(video, change.name)
    }
  })

  it('an account and a comment that change twice under one id of their Update are as their origin serves them', async () => {
    const { video, activity } = peertube.publish()
    await peertube.deliver(activity)
    await expectStateOfOrigin(video)
    const { peer, account } = peertube
    const accountName = async () =>
      (
        await runQuery<{ name: string }>(
          sql`SELECT a.name FROM accounts a JOIN actors ON actors.id = a.actor_id WHERE actors.url = ${account.url}`
        )
      )[0]?.name
    const note = {
      type: 'Note',
      id: `${video.id}/comments/1`,
      content: '<p>Hello</p>',
      inReplyTo: video.id,
      published: '2026-11-02T00:00:00.000Z',
      attributedTo: account.url,
      to: ['https://www.w3.org/ns/activitystreams#Public'],
      cc: []
    }
    const text = async () => (await runQuery<{ text: string }>(sql`SELECT text FROM comments WHERE url = ${note.id}`))[0]?.text
    const say = async (type: string, object: { id: string }) => {
      peer.serve(new URL(object.id).pathname, object as never)
      await peertube.deliver({ type, id: `${object.id}/${type}/1`, actor: account.url, to: note.to, object })
    }
    await say('Create', note)
    await eventually(async () => (await text())?.includes('Hello'), 20, 'the comment')
    for (const [number, word] of ['First', 'Second', 'Third'].entries()) {
      await say('Update', { ...account.document, name: word } as never)
      await say('Update', { ...note, content: `<p>${word}</p>`, updated: `2026-11-0${number + 3}T00:00:00.000Z` } as never)
      await eventually(async () => (await accountName()) === word, 20, `${word} as the name`)
      await eventually(async () => (await text())?.includes(word), 20, `${word} as the comment`)
    }
    peer.refuse(new URL(note.id).pathname, 404)
    await peertube.deliver({ type: 'Update', id: `${note.id}/Update/1`, actor: account.url, to: note.to, object: note })
    await eventually(async () => (await text()) === '', 20, 'the deletion of the comment')
  })

  it('an origin that does not answer is asked until it does; a Delete by the owner counts until then', async () => {
    const { video, activity } = peertube.publish()
    await peertube.deliver(activity)
    await expectStateOfOrigin(video)
    const { pathname } = new URL(video.id)
    for (const act of [() => peertube.addCaption(video, 'en'), () => peertube.addCaption(video, 'fr')]) await peertube.deliver(act())
    peertube.peer.refuse(pathname, 500)
    await requestObjectRefresh(video.id)
    const attempts = async () =>
      (await runQuery<{ attempts: number }>(sql`SELECT attempts FROM object_refreshes WHERE url = ${video.id}`))[0]?.attempts ?? 0
    await eventually(async () => (await attempts()) > 1, 20, 'two attempts')
    peertube.peer.refuse(pathname, null)
    await expectStateOfOrigin(video)
    // Deleted, it seems; but the Delete was an old one.
    const old = { ...activity, type: 'Delete', id: `${video.id}/delete`, object: video.id }
    peertube.peer.refuse(pathname, 500)
    await peertube.deliver(old)
    await eventually(async () => (await stored(video)) === null, 20, 'the removal')
    peertube.peer.refuse(pathname, null)
    await expectStateOfOrigin(video)
  })

  it('what needs no fetch any more, or could not be had for too long, is forgotten', async () => {
    await runQuery(sql`
      INSERT INTO object_refreshes (url, requested_at, fetched_at, not_before) VALUES
        ('https://a.example/done', now() - interval '3 hours', now() - interval '2 hours', now()),
        ('https://a.example/just-done', now() - interval '3 hours', now() - interval '1 minute', now()),
        ('https://a.example/waiting', now() - interval '6 days', NULL, now() + interval '1 day'),
        ('https://a.example/silent', now() - interval '8 days', NULL, now() + interval '1 day')`)
    await sweepIncoming.run({}, { progress: () => undefined, signal: new AbortController().signal })
    const left = await runQuery<{ url: string }>(sql`SELECT url FROM object_refreshes WHERE url LIKE 'https://a.example/%' ORDER BY url`)
    expect(left.map(({ url }) => url)).toEqual(['https://a.example/just-done', 'https://a.example/waiting'])
  })

  it('ten thousand contents under one id cost at most ten fetches', { timeout: 120_000 }, async () => {
    const { video, activity } = peertube.publish()
    await peertube.deliver(activity)
    await expectStateOfOrigin(video)
    const before = fetchesOf(video)
    const update = peertube.addCaption(video, 'en')
    for (let sent = 0; sent < 500; sent += 50)
      await Promise.all(
        Array.from({ length: 50 }, async (_, index) =>
          peertube.deliver({ ...update, object: { ...(update.object as object), name: `Name ${sent + index}` } })
        )
      )
    // The same without the signatures.
    for (let asked = 0; asked < 9500; asked++) await requestObjectRefresh(video.id)
    await expectStateOfOrigin(video)
    expect(fetchesOf(video) - before).toBeLessThanOrEqual(10)
  })
})

/** A generator of numbers in [0, max) that a seed determines (mulberry32). */
function seededRandom(seed: number): (max: number) => number {
  let state = seed
  return max => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * max)
  }
}

it.each([1, 2, 3, 4, 5, 6])('any sequence of activities in any order of arrival ends in the state of the origin (seed %i)', async seed => {
  const random = seededRandom(seed)
  const { video, activity } = peertube.publish()
  const activities = [activity]
  const languages = ['en', 'fr', 'de', 'es', 'it', 'pt', 'nl', 'sv']
  for (let step = 0; step < 8 && video.state !== 'deleted'; step++) {
    if (video.state === 'private') activities.push(random(4) === 0 ? peertube.remove(video) : peertube.makePublic(video))
    else
      activities.push(
        [
          () => peertube.rename(video, `Name ${step}`),
          () => peertube.addCaption(video, languages[step]!),
          () => peertube.replaceFiles(video),
          () => peertube.makePrivate(video)
        ][random(4)]!()
      )
  }
  const arrivals = activities.map(sent => ({ sent, order: random(1000) })).sort((one, other) => one.order - other.order)
  for (const { sent } of arrivals) {
    await peertube.deliver(sent)
    if (random(2) === 0) await new Promise(resolve => setTimeout(resolve, random(150)))
  }
  await eventually(async () => (await runQuery(sql`SELECT 1 FROM incoming WHERE done_at IS NULL`)).length === 0, 20, 'an empty inbox')
  await expectStateOfOrigin(video, arrivals.map(({ sent }) => sent.type).join(' '))
})
