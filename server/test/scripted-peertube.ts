import { randomUUID } from 'node:crypto'
import { eventually } from './instance.ts'
import { startHostilePeer, type HostileActor, type HostilePeer } from './hostile-peer.ts'

const PUBLIC = 'https://www.w3.org/ns/activitystreams#Public'

/** A video of the scripted PeerTube; `state` decides what a request for its id is answered with. */
export type ScriptedVideo = {
  id: string
  name: string
  captions: string[]
  views: number
  updated: Date
  state: 'public' | 'private' | 'deleted'
  /** 1: open, 2: closed, 3: with approval. */
  commentsPolicy: number
  /** The file of the HLS playlist; PeerTube replaces it with each transcoding. */
  playlist: string
}

type Activity = { type: string; id: string; actor: string; object: unknown; [key: string]: unknown }

/**
 * A scripted peer that does what PeerTube 6.3 does on the wire: the id of an Update is made of the time of change, which changes with texts
 * but not with files and captions; every Delete of a video has the same id; a private video answers 401, a deleted one 404. Acts return the
 * activity they cause, which the test delivers or loses.
 */
export type ScriptedPeerTube = {
  peer: HostilePeer
  account: HostileActor
  channel: HostileActor
  instance: HostileActor
  publish(values?: Partial<ScriptedVideo>): { video: ScriptedVideo; activity: Activity }
  rename(video: ScriptedVideo, name: string): Activity
  addCaption(video: ScriptedVideo, language: string): Activity
  replaceFiles(video: ScriptedVideo): Activity
  makePrivate(video: ScriptedVideo): Activity
  makePublic(video: ScriptedVideo): Activity
  remove(video: ScriptedVideo): Activity
  deliver(activity: Activity): Promise<void>
  /** Follows the instance and waits until it has accepted. */
  follow(): Promise<void>
}

/** Starts a scripted PeerTube that delivers to `inbox()`. */
export async function startScriptedPeerTube(inbox: () => string): Promise<ScriptedPeerTube> {
  const peer = await startHostilePeer()
  const account = await peer.actor('owner')
  const channel = await peer.actor('films', 'Group', { attributedTo: [{ type: 'Person', id: account.url }] })
  const instance = await peer.actor('peertube', 'Application')

  const documentOf = ({ id, name, captions, views, updated, playlist, commentsPolicy }: ScriptedVideo) => ({
    type: 'Video',
    id,
    uuid: id.slice(-36),
    name,
    duration: 'PT42S',
    views,
    published: '2026-11-01T00:00:00.000Z',
    updated: updated.toISOString(),
    to: [PUBLIC],
    cc: [`${account.url}/followers`],
    url: [
      { type: 'Link', mediaType: 'text/html', href: id },
      {
        type: 'Link',
        mediaType: 'application/x-mpegURL',
        href: playlist,
        tag: [
          {
            type: 'Link',
            mediaType: 'video/mp4',
            href: playlist.replace('master.m3u8', '720.mp4'),
            height: 720,
            width: 1280,
            size: 1000,
            fps: 25
          }
        ]
      }
    ],
    subtitleLanguage: captions.map(identifier => ({
      identifier,
      name: identifier,
      url: `${id.replace('/videos/watch/', '/captions/')}-${identifier}.vtt`
    })),
    icon: [{ type: 'Image', url: `${peer.url}/pictures/${id.slice(-36)}.jpg`, mediaType: 'image/jpeg', width: 280, height: 157 }],
    attributedTo: [
      { type: 'Person', id: account.url },
      { type: 'Group', id: channel.url }
    ],
    commentsPolicy
  })
  /** Serves the video as it is now. */
  const serve = (video: ScriptedVideo) => {
    const { pathname } = new URL(video.id)
    if (video.state === 'public') peer.serve(pathname, { '@context': 'https://www.w3.org/ns/activitystreams', ...documentOf(video) })
    else peer.refuse(pathname, video.state === 'private' ? 401 : 404)
  }
  const activity = (type: string, id: string, object: unknown): Activity => ({ type, id, actor: account.url, to: [PUBLIC], cc: [], object })
  const updateOf = (video: ScriptedVideo): Activity => {
    serve(video)
    return activity('Update', `${video.id}/updates/${video.updated.toISOString()}`, documentOf(video))
  }
  const change = (video: ScriptedVideo, values: Partial<ScriptedVideo>) => updateOf(Object.assign(video, values))
  const withdraw = (video: ScriptedVideo, state: 'private' | 'deleted') => {
    serve(Object.assign(video, { state }))
    return activity('Delete', `${video.id}/delete`, video.id)
  }
  const newPlaylist = () => `${peer.url}/hls/${randomUUID()}/master.m3u8`
  const createOf = (video: ScriptedVideo): Activity => {
    serve(video)
    return activity('Create', `${video.id}/activity`, documentOf(video))
  }
  let seconds = 0
  const nextTime = () => new Date(Date.UTC(2026, 10, 1) + ++seconds * 1000)

  return {
    peer,
    account,
    channel,
    instance,
    publish: (values = {}) => {
      const id = `${peer.url}/videos/watch/${randomUUID()}`
      const video: ScriptedVideo = {
        id,
        name: 'A far film',
        captions: [],
        views: 0,
        updated: nextTime(),
        state: 'public',
        commentsPolicy: 1,
        playlist: newPlaylist(),
        ...values
      }
      return { video, activity: createOf(video) }
    },
    rename: (video, name) => change(video, { name, updated: nextTime() }),
    addCaption: (video, language) => change(video, { captions: [...video.captions, language] }),
    replaceFiles: video => change(video, { playlist: newPlaylist() }),
    makePrivate: video => withdraw(video, 'private'),
    makePublic: video => createOf(Object.assign(video, { state: 'public', updated: nextTime() })),
    remove: video => withdraw(video, 'deleted'),
    deliver: async sent => {
      const { status, text } = await peer.post(inbox(), sent)
      if (status >= 300) throw new Error(`The inbox answered ${status}: ${text}`)
    },
    follow: async () => {
      const object = new URL('/accounts/peertube', inbox()).href
      await peer.post(inbox(), { type: 'Follow', id: peer.id(), actor: instance.url, object })
      await eventually(async () => peer.received.some(({ activity: { type } }) => type === 'Accept'), 20, 'the Accept')
    }
  }
}
