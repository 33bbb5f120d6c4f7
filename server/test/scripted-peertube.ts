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
  published: Date
  updated: Date
  state: 'public' | 'private' | 'deleted'
  /** 1: open, 2: closed, 3: with approval. */
  commentsPolicy: number
  /** The file of the HLS playlist; PeerTube replaces it with each transcoding. */
  playlist: string
  /** The comments below it by people of the scripted PeerTube. */
  comments: ScriptedComment[]
  /** Ratings by people of the scripted PeerTube. */
  likes: number
  dislikes: number
}

/** A comment by the scripted PeerTube; it serves a Tombstone for a deleted one. */
export type ScriptedComment = { id: string; text: string; inReplyTo: string; deleted: boolean }
/** What a PeerTube has stored of another server, by what that delivered; `notes` are what its comments reply to. */
export type HeldState = { videos: Record<string, { name: string }>; notes: Record<string, string>; reactions: Record<string, string> }

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
  /** Somebody comments a video of the scripted PeerTube. */
  comment(video: ScriptedVideo, text: string): { comment: ScriptedComment; activity: Activity }
  /** Somebody comments a video or comment of another server. */
  commentElsewhere(inReplyTo: string, text: string): { comment: ScriptedComment; activity: Activity }
  deleteComment(comment: ScriptedComment): Activity
  /** Somebody of the scripted PeerTube likes or dislikes its video: an Update under the id of the last one. */
  rate(video: ScriptedVideo, rating: 'likes' | 'dislikes'): Activity
  /** The account likes or dislikes a video of another server; PeerTube gives it the same id each time. */
  react(object: string, type: 'Like' | 'Dislike'): Activity
  undoReaction(reaction: Activity): Activity
  /** What the instance has delivered so far, as PeerTube stores it. */
  held(): HeldState
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

  const collectionOf = (video: ScriptedVideo, name: 'comments' | 'likes' | 'dislikes'): unknown[] => {
    if (name === 'comments') return video.comments.filter(({ deleted }) => !deleted).map(({ id }) => id)
    const type = name === 'likes' ? 'Like' : 'Dislike'
    const received = Object.entries(held().reactions).filter(([key, kind]) => key.endsWith(` ${video.id}`) && kind === type)
    return [...Array.from({ length: video[name] }, (_, number) => `${account.url}/${name}/${number}`), ...received.map(([key]) => key)]
  }
  const held = (): HeldState => {
    const state: HeldState = { videos: {}, notes: {}, reactions: {} }
    for (const { activity: sent } of peer.received) {
      const { type, object, actor } = sent
      const kind = object?.type
      if ((type === 'Create' || type === 'Update') && kind === 'Video') state.videos[object.id] = { name: object.name }
      else if ((type === 'Create' || type === 'Update') && kind === 'Note') state.notes[object.id] = object.inReplyTo
      else if (type === 'Delete') {
        delete state.videos[object?.id ?? object]
        delete state.notes[object?.id ?? object]
      } else if (type === 'Like' || type === 'Dislike') state.reactions[`${actor} ${object}`] = type
      else if (type === 'Undo' && state.reactions[`${actor} ${object.object}`] === kind) delete state.reactions[`${actor} ${object.object}`]
    }
    return state
  }

  const documentOf = ({ id, name, captions, views, published, updated, playlist, commentsPolicy }: ScriptedVideo) => ({
    type: 'Video',
    id,
    uuid: id.slice(-36),
    name,
    duration: 'PT42S',
    views,
    published: published.toISOString(),
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
    commentsPolicy,
    comments: `${id}/comments`,
    likes: `${id}/likes`,
    dislikes: `${id}/dislikes`
  })
  const serveList = (id: string, items: () => unknown[]) =>
    peer.serve(new URL(id).pathname, (request, response) => {
      const orderedItems = items()
      const totalItems = orderedItems.length
      const page = { type: 'OrderedCollectionPage', id: `${id}?page=1`, partOf: id, orderedItems, totalItems }
      const whole = { type: 'OrderedCollection', id, totalItems, ...(totalItems > 0 ? { first: page.id } : {}) }
      const document = request.url!.includes('page=') ? page : whole
      response.writeHead(200, { 'content-type': 'application/activity+json' }).end(JSON.stringify(document))
    })
  /** Serves the video as it is now. */
  const serve = (video: ScriptedVideo) => {
    const { pathname } = new URL(video.id)
    if (video.state === 'public') peer.serve(pathname, { '@context': 'https://www.w3.org/ns/activitystreams', ...documentOf(video) })
    else peer.refuse(pathname, video.state === 'private' ? 401 : 404)
    for (const name of ['comments', 'likes', 'dislikes'] as const) serveList(`${video.id}/${name}`, () => collectionOf(video, name))
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
  const createActivity = (video: ScriptedVideo) => activity('Create', `${video.id}/activity`, documentOf(video))
  const createOf = (video: ScriptedVideo): Activity => {
    serve(video)
    return createActivity(video)
  }
  const videos: ScriptedVideo[] = []
  const listed = () => videos.filter(({ state }) => state === 'public').reverse()
  serveList(`${account.url}/outbox`, () => listed().map(createActivity))
  serveList(`${channel.url}/outbox`, () =>
    listed().map(({ id, published }) => ({
      ...activity('Announce', `${id}/announces/1`, id),
      actor: channel.url,
      published: published.toISOString()
    }))
  )
  const noteOf = ({ id, text, inReplyTo }: ScriptedComment) => ({
    '@context': 'https://www.w3.org/ns/activitystreams',
    type: 'Note',
    id,
    url: id,
    content: text,
    mediaType: 'text/markdown',
    inReplyTo,
    published: new Date().toISOString(),
    attributedTo: account.url,
    to: [PUBLIC],
    cc: []
  })
  let comments = 0
  const createComment = (base: string, inReplyTo: string, text: string) => {
    const comment: ScriptedComment = { id: `${base}/comments/${++comments}`, text, inReplyTo, deleted: false }
    const note = noteOf(comment)
    peer.serve(new URL(comment.id).pathname, note)
    return { comment, activity: activity('Create', `${comment.id}/activity`, note) }
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
      const time = nextTime()
      const video: ScriptedVideo = {
        id,
        name: 'A far film',
        captions: [],
        views: 0,
        published: time,
        updated: time,
        state: 'public',
        commentsPolicy: 1,
        playlist: newPlaylist(),
        comments: [],
        likes: 0,
        dislikes: 0,
        ...values
      }
      videos.push(video)
      return { video, activity: createOf(video) }
    },
    rename: (video, name) => change(video, { name, updated: nextTime() }),
    addCaption: (video, language) => change(video, { captions: [...video.captions, language] }),
    replaceFiles: video => change(video, { playlist: newPlaylist() }),
    makePrivate: video => withdraw(video, 'private'),
    makePublic: video => createOf(Object.assign(video, { state: 'public', updated: nextTime() })),
    remove: video => withdraw(video, 'deleted'),
    comment: (video, text) => {
      const created = createComment(video.id, video.id, text)
      video.comments.push(created.comment)
      return created
    },
    commentElsewhere: (inReplyTo, text) => createComment(`${peer.url}/videos/watch/${randomUUID()}`, inReplyTo, text),
    deleteComment: comment => {
      comment.deleted = true
      const { id, inReplyTo } = comment
      peer.serve(new URL(id).pathname, { type: 'Tombstone', formerType: 'Note', id, inReplyTo, deleted: new Date().toISOString() })
      return activity('Delete', `${id}/delete`, id)
    },
    rate: (video, rating) => change(video, { [rating]: video[rating] + 1 }),
    react: (object, type) => activity(type, `${account.url}/${type.toLowerCase()}s/1`, object),
    undoReaction: reaction => activity('Undo', `${reaction.id}/undo`, reaction),
    held,
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
