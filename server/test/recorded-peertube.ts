import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { projectFolder } from '../core/config.ts'
import { idOf, isObject } from '../fediverse/vocabulary.ts'
import { startHostilePeer, type HostileActor, type HostilePeer } from './hostile-peer.ts'

type Json = { [key: string]: any }
/** A delivery of the recorded PeerTube 6.3, of this copy of it. */
export type RecordedDelivery = { name: string; path: string; date: Date; body: Json & { id: string; type: string; actor: string } }
/** A copy of the PeerTube 6.3 whose deliveries were recorded, on a host and with UUIDs of its own, in the state after the last of them. */
export type RecordedPeerTube = {
  peer: HostilePeer
  deliveries: RecordedDelivery[]
  actors: HostileActor[]
  /** The UUID of the copy for one of the recording. */
  uuid(recorded: string): string
  /** Sends a delivery byte for byte as every time, with one signature. */
  send(delivery: RecordedDelivery, follow?: object): Promise<number>
  /** Names the copy as the recording does, and `site` as the recorded receiver. */
  normalize(text: string, site: string): string
  stop(): Promise<void>
}

const RECORDING = readFileSync(join(projectFolder, 'server/fediverse/recorded/deliveries.json'), 'utf8')
const SENDER = '127.0.0.1:9001'
const RECEIVER = '127.0.0.1:7790'
const UUID = /\b[0-9a-f]{8}(?=-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})/g
const TIME = /\b2026-11-20T\d\d:\d\d:\d\d\.\d{3}Z/g
const PUBLIC = 'https://www.w3.org/ns/activitystreams#Public'

/** Starts copy number `copy` of the recorded PeerTube, which knows the instance at `site`; its recording ended a quarter of an hour ago. */
export async function startRecordedPeerTube(copy: number, site: string): Promise<RecordedPeerTube> {
  const peer = await startHostilePeer()
  const shift = Date.now() - 900_000 - Date.parse('2026-11-20T22:56:00.000Z')
  const uuidPrefix = (prefix: string, sign: 1 | -1) => ((parseInt(prefix, 16) + sign * copy * 0x10001) >>> 0).toString(16).padStart(8, '0')
  const text = RECORDING.replaceAll(SENDER, peer.host)
    .replaceAll(RECEIVER, new URL(site).host)
    .replaceAll(encodeURIComponent(SENDER), encodeURIComponent(peer.host))
    .replace(UUID, prefix => uuidPrefix(prefix, 1))
    .replace(TIME, time => new Date(Date.parse(time) + shift).toISOString())
  const { delivered } = JSON.parse(text) as { delivered: { name: string; path: string; body: RecordedDelivery['body'] }[] }
  const deliveries = delivered
    .filter(({ body }) => body.actor.startsWith(peer.url))
    .map(({ name, path, body }, index) => {
      // Its signature is of the recorded words.
      delete body.signature
      return { name, path, date: new Date(Date.now() - 600_000 + index * 1000), body }
    })
  const user = await peer.actor('user1')
  const root = await peer.actor('root')
  const owned = (actor: HostileActor) => ({ attributedTo: [{ type: 'Person', id: actor.url }] })
  const channel = await peer.actor('second_channel', 'Group', owned(user))
  const rootChannel = await peer.actor('root_channel', 'Group', owned(root))
  const instance = await peer.actor('peertube', 'Application')
  const actors = [user, root, channel, rootChannel, instance]
  serveFinalState(peer, deliveries, actors)
  return {
    peer,
    deliveries,
    actors,
    uuid: recorded => recorded.replace(UUID, prefix => uuidPrefix(prefix, 1)),
    send: async ({ path, body, date }, follow) => {
      const activity = follow ? { ...body, object: follow } : body
      return (await peer.post(site + path, activity, { date })).status
    },
    normalize: (state, ours) =>
      state
        .replaceAll(peer.host, SENDER)
        .replaceAll(new URL(ours).host, RECEIVER)
        .replace(UUID, prefix => uuidPrefix(prefix, -1)),
    stop: async () => await peer.stop()
  }
}

/** Serves every object as the last delivery about it left it, and the collections that PeerTube has of them. */
function serveFinalState(peer: HostilePeer, deliveries: RecordedDelivery[], actors: HostileActor[]): void {
  const documents = new Map<string, Json>()
  for (const { body } of deliveries) {
    const id = idOf(body.object as Json)
    if (!id?.startsWith(peer.url)) continue
    if (body.type === 'Delete' && documents.get(id)?.type !== 'Tombstone') documents.set(id, tombstoneOf(documents.get(id), id))
    else if (['Create', 'Update'].includes(body.type) && isObject(body.object as Json)) documents.set(id, body.object as Json)
  }
  const serve = (document: Json) => {
    const { pathname } = new URL(document.id as string)
    peer.serve(pathname, { '@context': 'https://www.w3.org/ns/activitystreams', ...document })
  }
  const list = (id: string, orderedItems: unknown[], document: Json = { type: 'OrderedCollection' }) => {
    const totalItems = orderedItems.length
    serve({ ...document, id, totalItems, first: `${id}?page=1` })
    const page = { type: 'OrderedCollectionPage', id: `${id}?page=1`, partOf: id, orderedItems, totalItems }
    peer.serve(`${new URL(id).pathname}?page=1`, page)
  }
  const all = [...documents.values()]
  for (const document of all) {
    // A deleted comment stays as a Tombstone, of everything else nothing is left.
    if (document.type !== 'Tombstone' || document.formerType === 'Note') {
      const actor = actors.find(({ url }) => url === document.id)
      if (document.type === 'Playlist') list(document.id, [], document)
      else serve(actor ? { ...document, publicKey: actor.document.publicKey } : document)
    }
  }
  const videos = all.filter(({ type }) => type === 'Video').sort((one, other) => other.published.localeCompare(one.published))
  const parentOf = new Map(all.map(({ id, inReplyTo }) => [id as string, inReplyTo as string | undefined]))
  const videoOf = (id: string): string => (parentOf.get(id) ? videoOf(parentOf.get(id)!) : id)
  for (const { id } of videos) {
    const notes = all.filter(({ type, id: note }) => type === 'Note' && videoOf(note as string) === id)
    list(`${id}/comments`, notes.map(note => note.id).reverse())
    list(`${id}/likes`, [])
    list(`${id}/dislikes`, [])
    serve({ type: 'Chapters', id: `${id}/chapters`, hasPart: [] })
  }
  const isPublic = ({ to }: Json) => (to as string[]).includes(PUBLIC)
  for (const { url, document } of actors) {
    const own = videos.filter(
      video => isPublic(video) && (document.type === 'Application' || video.attributedTo.some(({ id }: Json) => id === url))
    )
    const item = (video: Json): Json =>
      document.type === 'Person'
        ? { type: 'Create', id: `${video.id}/activity`, actor: url, to: video.to, cc: video.cc, object: video }
        : { type: 'Announce', id: `${video.id}/announces/1`, actor: url, to: [PUBLIC], object: video.id, published: video.published }
    list(`${url}/outbox`, own.map(item))
    const playlists = all.filter(playlist => playlist.type === 'Playlist' && isPublic(playlist) && playlist.attributedTo.includes(url))
    list(
      `${url}/playlists`,
      playlists.map(({ id }) => id)
    )
  }
}

const tombstoneOf = (document: Json | undefined, id: string): Json => ({
  type: 'Tombstone',
  id,
  formerType: document?.type,
  ...(document?.inReplyTo ? { inReplyTo: document.inReplyTo } : {}),
  published: document?.published,
  updated: document?.updated,
  deleted: document?.updated
})
