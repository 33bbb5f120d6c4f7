import { execFileSync, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { startHostilePeer, type HostilePeer } from '../server/test/hostile-peer.ts'
import { findFreePort } from './launch/free-port.ts'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
/** The password of every user of the demo site. */
export const PASSWORD = 'a long password'
const VIDEO_NAMES = [
  'The last man on earth',
  'Morning on the river',
  'How a reel is wound',
  'A walk through the old town, from the harbour up to the mill and back again by night',
  'Two minutes of rain',
  'The bell founder',
  'Night train',
  'Paper boats'
]
const DESCRIPTION =
  'A short film about **time**, shot in one day.\n\n- Camera: Ada\n- Sound: Charles\n\nMore at https://example.com, and thank you for watching!\n\nThe music was recorded in the old mill, where the wheel still turns. It was cold, it was dark, and nobody wanted to go home afterwards, which is how we ended up with a second film that nobody has seen yet.'

type VideoIds = { id: number; uuid: string; shortUUID: string }
/** An instance with users, channels, videos and what another server sent. */
export type DemoSite = {
  url: string
  publicVideo: VideoIds
  protectedVideo: VideoIds
  privateVideo: VideoIds
  videoFile: string
  /** The server of a remote commenter. */
  peer: HostilePeer
  stop(): Promise<unknown>
}
/** Starts an instance of its own with users, channels and videos. */
export async function startDemoSite(): Promise<DemoSite> {
  const data = mkdtempSync(join(tmpdir(), 'bobine-screenshots-'))
  const port = await findFreePort()
  const url = `http://127.0.0.1:${port}`
  const settings = {
    signup: { enabled: true },
    rates_limit: { api: { window: '1 second', max: 10_000 }, login: { window: '1 second', max: 1000 } },
    transcoding: { preset: 'ultrafast' },
    federation: { prevent_ssrf: false },
    instance: { name: 'Bobine', description: 'A small house for **films** of all kinds.', terms: 'Be kind.', languages: ['en', 'fr'] }
  }
  const child = spawn(join(root, 'scripts/start'), ['--data', data, '--port', String(port), '--hostname', '127.0.0.1'], {
    env: { ...process.env, BOBINE_ROOT_PASSWORD: PASSWORD, BOBINE_CONFIG: JSON.stringify(settings) },
    stdio: ['ignore', 'pipe', 'inherit']
  })
  await new Promise<void>((ready, failed) => {
    child.stdout.on('data', (text: Buffer) => {
      if (String(text).includes('is ready')) ready()
    })
    child.once('exit', code => failed(new Error(`scripts/start ended with ${code}`)))
  })
  const stop = async () => {
    const ended = new Promise(resolve => child.once('exit', resolve))
    child.kill('SIGTERM')
    await ended
    rmSync(data, { recursive: true, force: true })
  }
  try {
    const seeded = await seedSite(url, data)
    return { url, ...seeded, stop: async () => await Promise.all([seeded.peer.stop(), stop()]) }
  } catch (error) {
    await stop()
    throw error
  }
}

async function seedSite(url: string, data: string): Promise<Omit<DemoSite, 'url' | 'stop'>> {
  // First, as it takes a while: idle connections would be closed by then.
  const videoFiles = VIDEO_NAMES.map((_, index) => makeVideoFile(data, index))
  const call = async (method: string, path: string, token: string | null, body?: unknown) => {
    const headers: Record<string, string> = {
      ...(token ? { authorization: `Bearer ${token}` } : {}),
      ...(body instanceof FormData || body instanceof URLSearchParams || body === undefined ? {} : { 'content-type': 'application/json' })
    }
    const response = await fetch(`${url}/api/v1${path}`, {
      method,
      headers,
      body: body instanceof FormData || body instanceof URLSearchParams ? body : body === undefined ? undefined : JSON.stringify(body)
    })
    const text = await response.text()
    if (!response.ok) throw new Error(`${method} ${path}: ${text}`)
    return text === '' ? null : JSON.parse(text)
  }
  const login = async (username: string) =>
    (
      await call(
        'POST',
        '/users/token',
        null,
        new URLSearchParams({ ...(await call('GET', '/oauth-clients/local', null)), grant_type: 'password', username, password: PASSWORD })
      )
    ).access_token as string
  await call('POST', '/users', await login('root'), {
    username: 'ada',
    password: PASSWORD,
    email: 'ada@example.com',
    role: 2,
    channelName: 'ada_channel'
  })
  const ada = await login('ada')
  await call('PUT', '/users/me', ada, { displayName: 'Ada Morel', description: 'I film what moves: *water*, wheels, people.' })
  await call('PUT', '/video-channels/ada_channel', ada, {
    displayName: 'Slow pictures',
    description: 'One short film every **Sunday**. https://example.com',
    support: 'You can help with a coffee: https://example.com'
  })
  const [channel] = (await call('GET', '/users/me', ada)).videoChannels
  await call('POST', '/video-channels', ada, {
    name: 'night_walks',
    displayName: 'Night walks',
    description: 'What a town says when it sleeps.'
  })
  const upload = async (name: string, videoFile: string, fields: Record<string, string>): Promise<VideoIds> => {
    const form = new FormData()
    for (const [key, value] of Object.entries({ name, channelId: String(channel.id), ...fields })) form.append(key, value)
    form.set('videofile', new Blob([readFileSync(videoFile)], { type: 'video/mp4' }), 'film.mp4')
    return (await call('POST', '/videos/upload', ada, form)).video
  }
  const videos: VideoIds[] = []
  for (const [index, name] of VIDEO_NAMES.entries()) videos.unshift(await upload(name, videoFiles[index]!, { privacy: '1' }))
  const publicVideo = await upload('A reel unwinds', videoFiles[0]!, {
    privacy: '1',
    description: DESCRIPTION,
    category: '2',
    language: 'en',
    licence: '2',
    'tags[0]': 'film',
    'tags[1]': 'slow'
  })
  const protectedVideo = await upload('For friends', videoFiles[1]!, { privacy: '5', 'videoPasswords[0]': 'friends' })
  const privateVideo = await upload('A draft', videoFiles[2]!, { privacy: '3' })
  await call('POST', '/users', await login('root'), { username: 'charles', password: PASSWORD, email: 'charles@example.com', role: 2 })
  const charles = await login('charles')
  await call('PUT', '/users/me', charles, { displayName: 'Charles Babin' })
  const postComment = async (token: string, text: string, parent?: number): Promise<number> =>
    (await call('POST', `/videos/${publicVideo.uuid}/${parent ? `comments/${parent}` : 'comment-threads'}`, token, { text })).comment.id
  await postComment(charles, 'Which lens is this?')
  const firstComment = await postComment(
    charles,
    'I have walked past this mill for **thirty years** and never knew that the wheel still turns.\n\n- the light at *minute four*\n- the sound of it'
  )
  await postComment(
    charles,
    'Then I will be there.',
    await postComment(ada, 'Twice a year, in May and in October. https://example.com', firstComment)
  )
  await call('PUT', `/videos/${publicVideo.uuid}/rate`, charles, { rating: 'like' })
  const report = (
    await call('POST', '/abuses', ada, {
      reason: 'The sound is from a record that came out last year.',
      predefinedReasons: ['rights'],
      video: { id: publicVideo.id }
    })
  ).abuse.id as number
  await call('POST', `/abuses/${report}/messages`, await login('root'), { message: 'Which record is it, and at what minute?' })
  await call('POST', `/abuses/${report}/messages`, ada, { message: 'At minute two. I will look for the name.' })
  // Nothing listens there.
  await call('POST', '/server/following', await login('root'), { hosts: ['127.0.0.1:1'], handles: ['slow_pictures@127.0.0.1:1'] })
  for (;;) {
    const states = await Promise.all(
      [...videos, publicVideo, protectedVideo, privateVideo].map(
        async ({ uuid }) => (await call('GET', `/videos/${uuid}/transcoding`, ada)).state as string
      )
    )
    if (states.every(state => state === 'done')) break
    if (states.includes('failed')) throw new Error('A video could not be transcoded')
    await new Promise(resolve => setTimeout(resolve, 1000))
  }
  const peer = await deliverFromAnotherServer(url, `${url}/videos/watch/${publicVideo.uuid}`, videoFiles[3]!)
  return {
    publicVideo: publicVideo,
    protectedVideo: protectedVideo,
    privateVideo: privateVideo,
    peer,
    videoFile: makeVideoFile(data, 0, 'my-holiday_film 2026.mp4')
  }
}

/** Delivers comments with a content warning and attachments, and activities that have no effect. */
async function deliverFromAnotherServer(url: string, video: string, videoFile: string): Promise<HostilePeer> {
  const peer = await startHostilePeer()
  const picture = execFileSync('ffmpeg', ['-v', 'error', '-i', videoFile, '-frames:v', '1', '-f', 'mjpeg', '-'])
  peer.serve('/wheel.jpg', (_, response) => response.writeHead(200, { 'content-type': 'image/jpeg' }).end(picture))
  const { url: actor } = await peer.actor('mina', 'Person', { name: 'Mina Oudin' })
  const to = 'https://www.w3.org/ns/activitystreams#Public'
  const deliver = async (activity: object) => {
    const { status } = await peer.post(`${url}/inbox`, { id: peer.id(), actor, ...activity })
    if (status >= 300) throw new Error(`The inbox answered ${status}`)
  }
  const note = { id: peer.id('notes'), type: 'Note', attributedTo: actor, to, inReplyTo: video, published: new Date().toISOString() }
  await deliver({
    type: 'Create',
    to,
    object: {
      ...note,
      summary: 'Says how it ends',
      content: '<p>The wheel stops, and nobody is there to see it.</p>',
      attachment: [
        { type: 'Document', mediaType: 'application/pdf', url: `${peer.url}/mill.pdf`, name: 'Plan of the mill' },
        { type: 'Document', mediaType: 'video/mp4', url: `${peer.url}/wheel.mp4` },
        { type: 'Document', mediaType: 'image/jpeg', url: `${peer.url}/wheel.jpg`, name: 'The wheel' }
      ]
    }
  })
  await deliver({ type: 'Like', object: `${url}/w/nothing` })
  await deliver({ type: 'Create', object: { type: 'Note', id: 'https://elsewhere.example/1' } })
  const comments = async (): Promise<{ total: number }> =>
    await (await fetch(`${url}/api/v1/videos/${video.split('/').at(-1)}/comment-threads`)).json()
  for (const before = Date.now(); (await comments()).total < 3;) {
    if (Date.now() - before > 20_000) throw new Error('The comment did not arrive')
    await new Promise(resolve => setTimeout(resolve, 200))
  }
  return peer
}

/** Makes a video of a few seconds: real footage where it is beside the project, else a test pattern; each with other colours. */
function makeVideoFile(data: string, index: number, name = `film-${index}.mp4`): string {
  const real = resolve(root, '../shared/media/the-last-man-on-earth.mp4')
  const target = join(data, name)
  const source = existsSync(real)
    ? ['-ss', String(index * 1.2), '-t', '5', '-i', real]
    : ['-f', 'lavfi', '-i', 'testsrc2=size=1280x720:rate=25:duration=5', '-f', 'lavfi', '-i', 'sine=duration=5']
  execFileSync('ffmpeg', [
    '-v',
    'error',
    '-y',
    ...source,
    '-vf',
    `scale=854:480,setsar=1,colorchannelmixer=rr=${0.5 + ((index * 37) % 60) / 100}:gg=${0.5 + ((index * 53) % 60) / 100}:bb=${0.5 + ((index * 71) % 60) / 100}`,
    '-c:v',
    'libx264',
    '-preset',
    'ultrafast',
    '-g',
    '50',
    '-pix_fmt',
    'yuv420p',
    '-c:a',
    'aac',
    target
  ])
  return target
}
