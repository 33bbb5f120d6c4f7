import { afterEach, beforeEach, expect, test } from 'vitest'
import { actorsKeyring } from '../actors/actors-keyring.ts'
import { runQuery, sql } from '../core/sql.ts'
import { seededRandom } from './seeded-random.ts'
import { eventually, startTestInstance, type TestInstance } from './instance.ts'
import { pretendOutage, runRepairJobs, waitUntilFederationIsIdle } from './repair.ts'
import { startScriptedPeerTube, type ScriptedComment, type ScriptedPeerTube, type ScriptedVideo } from './scripted-peertube.ts'
import { uploadVideo, waitForTranscoding } from './upload.ts'

/** The number of histories and the first seed; `scripts/soak histories` runs more. */
const HISTORIES = Number(process.env.HISTORIES ?? 2)
const FIRST_SEED = Number(process.env.SEED ?? 1)
const ACTS = 40

let site: TestInstance
let ada: { token: string; channelId: number }
let root: string
let peertube: ScriptedPeerTube
let local: LocalVideo

// Each has an instance of its own: what is repaired is looked for in all that the instance knows.
beforeEach(async () => {
  site = await startTestInstance({
    federation: { inbox: { per_host: { max: 100_000 } }, fetch: { per_host: { max: 100_000 } }, crawl: { interval: '1 hour' } },
    internals: {
      actors: { blocksFor: 50 },
      inbox: { viewsInterval: 100, checkInterval: 300, refreshDelay: 100, retryDelay: 100 },
      outbox: { checkInterval: 200, retryDelay: 100, maxRetryDelay: 500, breaker: { failures: 1000 } },
      videos: { countersInterval: 100 }
    }
  })
  ada = await site.user('ada')
  root = await site.login()
  const { id, uuid } = await uploadVideo(site, ada, { name: 'Ours' })
  await waitForTranscoding(site, ada, id)
  local = { id, url: `${site.url}/videos/watch/${uuid}`, public: true }
  peertube = await startScriptedPeerTube(() => `${site.url}/inbox`)
  const { peer, channel } = peertube
  await peertube.follow()
  await site.call('POST /users/me/subscriptions', { token: ada.token, body: { uri: `${channel.name}@${peer.host}` } })
  const follow = await eventually(async () => peer.received.find(({ activity }) => activity.type === 'Follow')?.activity)
  await peer.post(`${site.url}/inbox`, { type: 'Accept', id: peer.id(), actor: channel.url, object: follow })
})
afterEach(async () => {
  await peertube?.peer.stop()
  await site?.stop()
})

type Activity = Parameters<ScriptedPeerTube['deliver']>[0]
type LocalVideo = { id: number; url: string; public: boolean }

/** One history of an instance and a PeerTube that follow each other. */
class History {
  readonly log: string[] = []
  readonly videos: ScriptedVideo[] = []
  readonly elsewhere: ScriptedComment[] = []
  readonly own: { id: number; url: string; videoId: number; theirs: boolean }[] = []
  reaction: Activity | null = null
  wasBlocked = false
  private blocked = false
  private random: () => number
  private readonly seed: number

  constructor(seed: number) {
    this.seed = seed
    this.random = seededRandom(seed)
  }

  /** One act of a random kind that is possible now. */
  async act(number: number): Promise<void> {
    // Each act has numbers of its own, so that what depends on time changes only itself.
    this.random = seededRandom(this.seed * 1000 + number)
    const open = this.pick(this.videos.filter(({ state }) => state === 'public'))
    const hidden = this.pick(this.videos.filter(({ state }) => state === 'private'))
    const comment = open && this.pick(open.comments.filter(({ deleted }) => !deleted))
    const far = this.pick(this.elsewhere.filter(({ deleted }) => !deleted))
    const mine = this.pick(this.own.filter(({ theirs }) => !theirs || !this.blocked))
    const acts: [string, () => Promise<unknown>][] = [['publishes', async () => await this.publish(`Film ${number}`)]]
    const add = (name: string, act: () => Promise<unknown>, possible: unknown) => possible && acts.push([name, act])
    add('edits', async () => await this.send(peertube.rename(open!, `Film, edited ${number}`)), open)
    add('captions', async () => await this.send(peertube.addCaption(open!, ['en', 'fr', 'de', 'es', 'it'][number % 5]!)), open)
    add('transcodes', async () => await this.send(peertube.replaceFiles(open!)), open)
    add('hides', async () => await this.send(peertube.makePrivate(open!)), open)
    add('shows', async () => await this.send(peertube.makePublic(hidden!)), hidden)
    add('deletes', async () => await this.send(peertube.remove(open!)), this.videos.length > 4 && open)
    add('comments', async () => await this.send(peertube.comment(open!, `Comment ${number}`).activity), open)
    add('deletes a comment', async () => await this.send(peertube.deleteComment(comment!)), comment)
    add('rates', async () => await this.send(peertube.rate(open!, number % 3 ? 'likes' : 'dislikes')), open)
    // What a PeerTube lists nowhere is not read again (docs/federation.md#repair): it must arrive.
    const reaches = local.public && !this.blocked
    add('comments ours', async () => await this.commentOurs(`From afar ${number}`), reaches)
    add('reacts to ours', async () => await this.react(number % 2 ? 'Like' : 'Dislike'), reaches)
    add('deletes a comment of ours', async () => await this.send(peertube.deleteComment(far!)), far && !this.blocked)
    add('we edit', async () => await this.edit({ name: `Ours, edited ${number}` }), true)
    add('we hide or show', async () => await this.hideOrShow(), true)
    add(
      'we comment theirs',
      async () => await this.aboutTheirs(open!, async id => await this.write(id, `By Ada ${number}`)),
      open && !this.blocked
    )
    add('we comment ours', async () => await this.write(local.id, `By Ada ${number}`), true)
    add('we delete a comment', async () => await this.erase(mine!), mine)
    add(
      'we rate theirs',
      async () => await this.aboutTheirs(open!, async id => await this.rate(id, ['like', 'dislike', 'none'][number % 3]!)),
      open && !this.blocked
    )
    add('we block or unblock', async () => await this.block(!this.blocked), true)
    const [name, act] = this.pick(acts)!
    this.log.push(name)
    await act()
  }

  /** Ends a block, as while it lasts both sides do not tell each other anything. */
  async end(): Promise<void> {
    await this.block(false)
  }

  private pick<T>(list: T[]): T | undefined {
    return list[Math.floor(this.random() * list.length)]
  }

  /** Delivers an activity or loses it; PeerTube does not try again. */
  private async send(activity: Activity, reliable = false): Promise<void> {
    if (!reliable && this.random() < 0.3) return void this.log.push(`(lost: ${activity.type})`)
    await peertube.peer.post(`${site.url}/inbox`, activity)
    if (this.random() < 0.5) await new Promise(resolve => setTimeout(resolve, 100 * this.random()))
  }

  private async publish(name: string): Promise<void> {
    const { video, activity } = peertube.publish({ name })
    this.videos.push(video)
    await this.send(activity)
  }

  private async commentOurs(text: string): Promise<void> {
    const { comment, activity } = peertube.commentElsewhere(local.url, text)
    this.elsewhere.push(comment)
    await this.send(activity, true)
  }

  private async react(type: 'Like' | 'Dislike'): Promise<void> {
    if (this.reaction) await this.send(peertube.undoReaction(this.reaction), true)
    this.reaction = this.reaction?.type === type ? null : peertube.react(local.url, type)
    if (this.reaction) await this.send(this.reaction, true)
    // Signatures have the seconds of their time, and an equal one is a replay.
    await new Promise(resolve => setTimeout(resolve, 1000))
  }

  private async call(key: string, body?: object, token = ada.token): Promise<any> {
    // The follower does not answer now and then.
    peertube.peer.answer('/inbox', this.random() < 0.3 ? 503 : 202)
    const { status, text, json } = await site.call(key, { token, body })
    if (status >= 300) throw new Error(`${key}: ${status} ${text}; ${this.log.join(', ')}`)
    if (this.random() < 0.5) await new Promise(resolve => setTimeout(resolve, 100 * this.random()))
    peertube.peer.answer('/inbox', 202)
    return json
  }

  private async edit(body: object): Promise<void> {
    await this.call(`PUT /videos/${local.id}`, body)
  }

  private async hideOrShow(): Promise<void> {
    local.public = !local.public
    await this.edit({ privacy: local.public ? 1 : 3 })
  }

  private async write(videoId: number, text: string): Promise<void> {
    const { comment } = await this.call(`POST /videos/${videoId}/comment-threads`, { text })
    this.own.push({ id: comment.id, url: comment.url, videoId, theirs: videoId !== local.id })
  }

  private async erase(comment: History['own'][number]): Promise<void> {
    // Below a video that is not shown here now nothing can be deleted.
    const { status } = await site.call(`DELETE /videos/${comment.videoId}/comments/${comment.id}`, { token: ada.token })
    if (status === 204) this.own.splice(this.own.indexOf(comment), 1)
    else this.log.push(`(refused: ${status})`)
  }

  private async rate(videoId: number, rating: string): Promise<void> {
    await this.call(`PUT /videos/${videoId}/rate`, { rating })
  }

  private async block(blocked: boolean): Promise<void> {
    if (this.blocked === blocked) return
    const { host } = peertube.peer
    if (blocked) await this.call('POST /server/blocklist/servers', { host }, root)
    else await this.call(`DELETE /server/blocklist/servers/${host}`, undefined, root)
    this.blocked = blocked
    this.wasBlocked = true
  }

  /** Does something about a video of the PeerTube, if it is known here. */
  private async aboutTheirs({ id }: ScriptedVideo, act: (videoId: number) => Promise<void>): Promise<void> {
    const find = sql`SELECT id FROM videos WHERE url = ${id} AND privacy = 1 AND gone_at IS NULL`
    const [known] = await runQuery<{ id: number }>(find)
    if (known) await act(known.id)
    else this.log.push('(unknown here)')
  }
}

/** Waits until both sides have told each other everything. */
async function settle(): Promise<void> {
  await waitUntilFederationIsIdle([
    sql`SELECT 'counters of ' || url FROM videos WHERE counters_due_at IS NOT NULL`,
    sql`SELECT 'outgoing ' || type FROM outgoing WHERE fanned_out_at IS NULL`,
    sql`SELECT 'delivery ' || inbox_url FROM deliveries`
  ])
}

const seeds = Array.from({ length: HISTORIES }, (_, index) => FIRST_SEED + index)
test.each(seeds)('history %i: after repair both sides hold the same', { timeout: 240_000 }, async seed => {
  const history = new History(seed)
  const { log } = history
  for (let number = 0; number < ACTS; number++) await history.act(number)
  await history.end()
  // Blocks are remembered for a moment (`REMOTE_ACTORS.blocksFor`).
  await eventually(async () => !(await actorsKeyring.isBlocked(peertube.peer.host, peertube.account.url)), 5, 'the end of the block')
  await settle()
  for (let round = 0; round < 3; round++) {
    await pretendOutage()
    await runRepairJobs()
    await settle()
  }
  expect({ log, theirs: await readTheirVideos() }).toEqual({ log, theirs: theirVideos(history) })
  expect({ log, ours: await readOurs() }).toEqual({ log, ours: await readOursThere(history) })
})

/** What the instance has of the videos of the PeerTube. */
async function readTheirVideos(): Promise<object[]> {
  return await runQuery(sql`
    SELECT url, name, likes, dislikes, ARRAY(SELECT language FROM video_captions WHERE video_id = videos.id ORDER BY 1) AS captions,
      (SELECT url FROM remote_playlists WHERE video_id = videos.id) AS playlist,
      ARRAY(SELECT url FROM comments WHERE video_id = videos.id AND remote AND deleted_at IS NULL ORDER BY 1) AS comments
    FROM videos WHERE url LIKE ${`${peertube.peer.url}/%`} AND gone_at IS NULL AND privacy = 1 ORDER BY url`)
}

/** The same as the PeerTube has it. */
function theirVideos({ videos }: History): object[] {
  const received = Object.entries(peertube.held().reactions)
  const count = (id: string, type: string) => received.filter(([key, kind]) => key.endsWith(` ${id}`) && kind === type).length
  return videos
    .filter(({ state }) => state === 'public')
    .map(({ id, name, likes, dislikes, captions, playlist, comments }) => ({
      url: id,
      name,
      likes: likes + count(id, 'Like'),
      dislikes: dislikes + count(id, 'Dislike'),
      captions: [...new Set(captions)].sort(),
      playlist,
      comments: comments
        .filter(({ deleted }) => !deleted)
        .map(comment => comment.id)
        .sort()
    }))
    .sort((one, other) => (one.url < other.url ? -1 : 1))
}

/** What the instance has of its own video and of what its people said. */
async function readOurs(): Promise<object> {
  const { id } = local
  const [video] = await runQuery<{ name: string; public: boolean; likes: number; dislikes: number }>(
    sql`SELECT name, privacy = 1 AS public, likes, dislikes FROM videos WHERE id = ${id}`
  )
  const urls = async (condition: ReturnType<typeof sql>) =>
    (
      await runQuery<{ url: string }>(sql`SELECT c.url FROM comments c JOIN videos v ON v.id = c.video_id
      WHERE c.deleted_at IS NULL AND ${condition} ORDER BY 1`)
    ).map(({ url }) => url)
  const comments = await urls(
    sql`NOT c.remote AND (v.id = ${id} OR v.url LIKE ${`${peertube.peer.url}/%`} AND v.privacy = 1 AND v.gone_at IS NULL)`
  )
  return {
    video: { ...video, name: video!.public ? video!.name : null },
    comments: comments.sort(),
    fromAfar: await urls(sql`c.remote AND v.id = ${id}`)
  }
}

/** The same by what the PeerTube received, read and wrote. */
async function readOursThere(history: History): Promise<object> {
  const { url, public: isPublic } = local
  const { peer, held } = peertube
  const { reaction, elsewhere, own } = history
  // It reads a video again when somebody looks at it, and the list of its comments.
  const read = async (address: string) => (await peer.get(address)).json
  const document = await read(url)
  const name = history.wasBlocked ? document?.name : held().videos[url]?.name
  const list = isPublic ? (await read(`${url}/comments`)).totalItems : 0
  const pages = await Promise.all(
    Array.from({ length: Math.ceil(list / 10) }, async (_, page) => await read(`${url}/comments?page=${page + 1}`))
  )
  const below = pages.flatMap(({ orderedItems }) => orderedItems as string[])
  const shown = new Set(history.videos.filter(({ state }) => state === 'public').map(({ id }) => id))
  const written = Object.entries(held().notes)
    .filter(([, inReplyTo]) => shown.has(inReplyTo))
    .map(([id]) => id)
  const fromAfar = elsewhere.filter(({ deleted }) => !deleted).map(({ id }) => id)
  const isOurs = (id: string) => id.startsWith(site.url)
  if (isPublic) expect(below.filter(id => !isOurs(id)).sort()).toEqual(fromAfar.sort())
  const ours = own.filter(({ theirs }) => !theirs).map(comment => comment.url)
  if (isPublic) expect(below.filter(isOurs).sort()).toEqual(ours.sort())
  return {
    video: {
      name: isPublic ? name : null,
      public: document?.type === 'Video',
      likes: Number(reaction?.type === 'Like'),
      dislikes: Number(reaction?.type === 'Dislike')
    },
    comments: [...ours, ...written].sort(),
    fromAfar: fromAfar.sort()
  }
}
