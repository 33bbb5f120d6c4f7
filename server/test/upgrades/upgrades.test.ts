import { createHash } from 'node:crypto'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { projectFolder } from '../../core/config.ts'
import { runQuery, sql } from '../../core/sql.ts'
import { eventually } from '../instance.ts'
import { startScriptedPeerTube, type ScriptedPeerTube } from '../scripted-peertube.ts'
import { readFacts, RECORDED_ORIGIN, RECORDED_PASSWORD, type RecordedInstance } from './recorded-instance.ts'
import { readRecordedInstance, restoreRecordedInstance, type UpgradedInstance } from './upgraded-instance.ts'

// The first is the version before federation was overhauled, the second the one before files of private videos were renamed. What is announced since the
// first are torrents and single files with names of their own.
describe.each([
  { commit: '8ec8c4f', migrationsBefore: 19, statusesOfSingleFiles: [200, 200, 200, 200, 403], hasNewAddresses: true },
  { commit: '2ee2e75', migrationsBefore: 35, statusesOfSingleFiles: [], hasNewAddresses: false }
])('an instance of $commit with a follower that is upgraded', ({ commit, migrationsBefore, statusesOfSingleFiles, hasNewAddresses }) => {
  let site: UpgradedInstance
  let follower: ScriptedPeerTube
  let recorded: RecordedInstance
  let tokens: { ada: string; grace: string }
  const migrations = readdirSync(join(projectFolder, 'migrations')).sort()

  beforeAll(async () => {
    follower = await startScriptedPeerTube(() => `${site.url}/inbox`)
    recorded = await readRecordedInstance(commit, follower.peer.host)
    for (const [path, document] of Object.entries(recorded.served)) follower.peer.serve(path, document)
    site = await restoreRecordedInstance(commit, follower.peer.host, {
      outbox: { checkInterval: 300 },
      videos: { dueUpdatesInterval: 300, dueUpdatesBatch: 1 }
    })
    const before = await site.readRows()
    expect(before.migrations!.length).toBe(migrationsBefore)
    await site.start()
    tokens = { ada: await site.login('ada', RECORDED_PASSWORD), grace: await site.login('grace', RECORDED_PASSWORD) }
  })
  afterAll(async () => {
    await site?.stop()
    await follower?.peer.stop()
  })

  const local = (url: string) => url.replace(RECORDED_ORIGIN, site.url)
  const updates = () => follower.peer.received.map(({ activity }) => activity).filter(({ type }) => type === 'Update')
  const federatedVideos = () =>
    recorded.videos.filter(({ privacy }) => privacy === 1).map(({ uuid }) => `${RECORDED_ORIGIN}/videos/watch/${uuid}`)

  it('has all migrations, and everything that its users had', async () => {
    expect((await runQuery<{ name: string }>(sql`SELECT name FROM migrations ORDER BY name`)).map(({ name }) => name)).toEqual(migrations)
    expect(await readFacts(site.call, tokens, recorded.playlist)).toEqual(recorded.facts)
    expect(await site.login('root', RECORDED_PASSWORD)).toBeTruthy()
  })

  it('has a playlist to watch later for each of its users, at an address of its own', async () => {
    const rows = await runQuery<{ username: string; url: string; uuid: string; privacy: number }>(sql`
      SELECT users.username, playlists.url, playlists.uuid, playlists.privacy FROM users JOIN accounts ON accounts.user_id = users.id
        LEFT JOIN playlists ON playlists.account_id = accounts.id AND playlists.type = 2`)
    expect(rows.length).toBeGreaterThan(2)
    for (const { username, uuid, ...row } of rows)
      expect([username, row]).toEqual([username, { url: `${RECORDED_ORIGIN}/video-playlists/${uuid}`, privacy: 3 }])
    const { specialPlaylists } = (await site.call('GET /users/me', { token: tokens.grace })).json
    expect(specialPlaylists).toEqual([{ id: expect.any(Number), name: 'Watch later', type: 2 }])
  })

  it('answers at every address that it announced before as it did then', async () => {
    const answers = []
    for (const { url, id, sha256 } of recorded.addresses) {
      const response = await fetch(local(url), { headers: id === undefined ? {} : { accept: 'application/activity+json' } })
      const bytes = Buffer.from(await response.arrayBuffer())
      answers.push({
        url,
        status: response.status,
        ...(id === undefined ? {} : { id: response.ok ? JSON.parse(bytes.toString()).id : null }),
        ...(sha256 === undefined ? {} : { sha256: hashAsRecorded(bytes, sha256) })
      })
    }
    expect(answers).toEqual(recorded.addresses)
    expect(answers.length).toBeGreaterThan(90)
    expect(answers.filter(({ url }) => url.endsWith('/144.mp4')).map(({ status }) => status)).toEqual(statusesOfSingleFiles)
  })

  it('keeps what is private, and shows it to its owner', async () => {
    const { uuid } = recorded.videos.find(({ privacy }) => privacy === 3)!
    const refused = recorded.addresses.filter(({ status }) => status >= 400)
    expect(refused.length).toBeGreaterThan(10)
    expect((await site.call(`GET /videos/${uuid}`)).status).toBe(401)
    const { status, json, text } = await site.call(`GET /videos/${uuid}`, { token: tokens.ada })
    expect(status).toBe(200)
    // The names of torrents do not contain the UUID.
    expect(refused.filter(({ url }) => !url.includes(uuid) && !text.includes(url))).toEqual([])
    for (const { fileUrl } of json.streamingPlaylists[0].files) {
      expect((await fetch(local(fileUrl))).status).toBe(403)
      expect((await fetch(local(fileUrl), { headers: { authorization: `Bearer ${tokens.ada}` } })).status).toBe(200)
    }
    expect(JSON.stringify(follower.peer.received)).not.toContain(uuid)
  })

  it('tells its follower new addresses by one Update of each video, once for ever', async () => {
    const settled = async () =>
      (
        await runQuery(sql`SELECT 1 FROM videos WHERE update_due UNION ALL SELECT 1 FROM deliveries UNION ALL
        SELECT 1 FROM outgoing WHERE fanned_out_at IS NULL`)
      ).length === 0
    await eventually(settled, 30, 'the Updates')
    const ids = () =>
      updates()
        .map(({ object }) => object.id)
        .sort()
    const updatedVideos = hasNewAddresses ? federatedVideos().sort() : []
    expect(ids()).toEqual(updatedVideos)
    const names = updates()
      .flatMap(({ object }) => fileAddresses(object))
      .map(address => address.split('/').pop())
    expect(names.length).toBeGreaterThanOrEqual(6 * updatedVideos.length)
    expect(new Set(names).size).toBe(names.length)
    for (const { object } of updates())
      for (const address of fileAddresses(object)) {
        const response = await fetch(local(address))
        expect([address, response.status, (await response.arrayBuffer()).byteLength > 0]).toEqual([address, 200, true])
      }
    const known = ids()
    await site.halt()
    const rows = await site.readRows()
    await site.start()
    expect(await readFacts(site.call, tokens, recorded.playlist)).toEqual(recorded.facts)
    await site.halt()
    expect(await site.readRows()).toEqual(rows)
    expect(ids()).toEqual(known)
  })
})

/** The hash of an answer; of a playlist as it was recorded before complete ones had the type VOD, if it is the same but for that. */
function hashAsRecorded(bytes: Buffer, recorded: string): string {
  const hash = (content: Buffer | string): string => createHash('sha256').update(content).digest('hex')
  const before = hash(bytes.toString().replace('#EXT-X-PLAYLIST-TYPE:VOD', '#EXT-X-PLAYLIST-TYPE:EVENT'))
  return before === recorded ? before : hash(bytes)
}

/** The addresses of the files that a Video document announces. */
function fileAddresses(document: object): string[] {
  const addresses = JSON.stringify(document).matchAll(/"(?:href|url)":"(http[^"]+\.(?:mp4|m3u8|json|jpg|vtt|torrent))"/g)
  return [...new Set([...addresses].map(([, address]) => address!))]
}
