import { runQuery, sql } from '../core/sql.ts'
import { eventually, startTestInstance, type TestInstance } from './instance.ts'
import { createRecordedIds, type RecordedIds } from './recorded-ids.ts'
import { startRecordedPeers, type RecordedPeers } from './recorded-peers.ts'
import { prepareRequest } from './recorded-requests.ts'
import type { Recording } from './recordings.ts'

/** What the test's instance answered to a recorded request; `expected` is the recorded answer with the hosts of the test. */
export type ReplayedAnswer = { status: number; type: string; text: string; json: unknown; location: string | null; expected: unknown }
/** The recorded scenario, played request by request in its order. */
export type Scenario = {
  /** Does what was not recorded before this request, sends it, and learns ids from the answer. */
  play(recording: Recording): Promise<ReplayedAnswer>
  stop(): Promise<void>
}

/** The accounts whose tokens were used: username, and the number of the request that creates each. */
const ACCOUNTS: Record<string, { username: string; createdBy: number }> = {
  user: { username: 'user1', createdBy: 34 },
  mod: { username: 'mod1', createdBy: 35 },
  poor: { username: 'poor', createdBy: 36 },
  todelete: { username: 'todelete', createdBy: 37 },
  registered: { username: 'registered', createdBy: 40 }
}

/** What the recorded instance was set to, and later answers show. */
const RECORDED_CONFIG = { instance: { languages: ['en', 'fr'], categories: [1, 2] } }

/** Starts the instance and both peers as the recorded ones were set. */
export async function startScenario(): Promise<Scenario> {
  const site = await startTestInstance({
    signup: { enabled: true, limit: -1 },
    transcoding: {
      web_videos: { enabled: true },
      hls: { split_audio_and_video: false },
      original_file: { keep: true },
      resolutions: { '0p': false, '144p': false, '240p': true, '360p': false, '480p': false, '720p': true, '1080p': false }
    }
  })
  const hosts: Record<string, string> = { '127.0.0.1:9001': new URL(site.url).host }
  const ids = createRecordedIds(hosts)
  const peers = await startRecordedPeers(
    () => `${site.url}/inbox`,
    () => ids
  )
  hosts['127.0.0.1:9002'] = peers.peertube.host
  hosts['127.0.0.1:7790'] = peers.recorder.host
  const tokens: Record<string, string> = { root: await site.login(), tmp: await site.login() }
  const unrecorded = unrecordedSteps(site, peers, tokens)
  let done = 0
  return {
    play: async recording => {
      for (; done < unrecorded.length && unrecorded[done]!.before <= recording.number; done++) await unrecorded[done]!.act()
      const request = await prepareRequest(recording, ids, site.rootPassword)
      const response = await fetch(site.url + request.path, {
        method: request.method,
        headers: { ...request.headers, ...(recording.as ? { authorization: `Bearer ${tokens[recording.as] ?? recording.as}` } : {}) },
        redirect: 'manual',
        ...(request.body === undefined ? {} : { body: request.body as RequestInit['body'] })
      })
      const text = await response.text()
      const location = response.headers.get('location')
      const json = parseJson(text)
      if (recording.location && location) ids.learnText(recording.location, location)
      ids.learn(recording.answer, json)
      const account = Object.entries(ACCOUNTS).find(([, { createdBy }]) => createdBy === recording.number)
      if (account) await logInNewUser(account[0], site, tokens, ids)
      return {
        status: response.status,
        type: (response.headers.get('content-type') ?? '').split(';')[0]!,
        text,
        json,
        location,
        expected: ids.keys(recording.answer)
      }
    },
    stop: async () => {
      await site.stop()
      await peers.stop()
    }
  }
}

/** What happened between the recorded requests, in order: `before` is the number of the request that comes next. */
function unrecordedSteps(
  site: TestInstance,
  peers: RecordedPeers,
  tokens: Record<string, string>
): { before: number; act(): Promise<unknown> }[] {
  const root = { token: tokens.root! }
  return [
    // The whole object is refused as it switches on what is missing here; later answers show these values of it.
    { before: 27, act: async () => await site.call('PATCH /config/custom', { ...root, body: RECORDED_CONFIG }) },
    { before: 101, act: async () => await peers.follow() },
    { before: 102, act: waitForInbox },
    { before: 105, act: async () => await peers.accept(peers.peertube) },
    { before: 105, act: waitForInbox },
    { before: 109, act: async () => await peers.accept(peers.recorder) },
    { before: 156, act: async () => await peers.publish() },
    { before: 156, act: waitForTranscodings },
    { before: 156, act: waitForInbox },
    { before: 194, act: async () => await peers.send(192) },
    { before: 194, act: async () => await peers.send(193) },
    { before: 194, act: waitForInbox },
    { before: 224, act: async () => await peers.withdraw(193) },
    { before: 233, act: async () => await peers.send(225) },
    { before: 233, act: async () => await peers.send(230) },
    { before: 233, act: waitForInbox },
    // What is asked for again must still be waiting.
    { before: 372, act: async () => await site.call('POST /jobs/pause', root) },
    { before: 375, act: async () => await site.call('POST /jobs/resume', root) },
    { before: 505, act: waitForTranscodings },
    { before: 1049, act: waitForInbox }
  ]
}

/** Logs in a user that was just created, and learns the ids of its account and channels, which answers show much later. */
async function logInNewUser(name: string, site: TestInstance, tokens: Record<string, string>, ids: RecordedIds): Promise<void> {
  const { username } = ACCOUNTS[name]!
  tokens[name] = await site.login(username, 'password1')
  const me = (await site.call('GET /users/me', { token: tokens[name] })).json
  const place = Object.keys(ACCOUNTS).indexOf(name)
  // The recorded instance numbered users and channels in the order of their creation; root and the instance were there before.
  ids.learnId('user', place + 2, me.id as number)
  ids.learnId('account', place + 3, me.account.id as number)
  ids.learnId('playlist', place + 2, me.specialPlaylists[0].id as number)
  if (me.videoChannels[0]) ids.learnId('channel', place + 2, me.videoChannels[0].id as number)
}

async function waitForTranscodings(): Promise<void> {
  await eventually(
    async () => (await runQuery(sql`SELECT 1 FROM transcodings WHERE state IN ('waiting', 'running') LIMIT 1`)).length === 0,
    60,
    'the encodings'
  )
}

async function waitForInbox(): Promise<void> {
  await eventually(
    async () => (await runQuery(sql`SELECT 1 FROM incoming WHERE body IS NOT NULL LIMIT 1`)).length === 0,
    30,
    'the received activities'
  )
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
