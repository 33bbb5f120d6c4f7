import { startHostilePeer, type HostileActor, type HostilePeer } from './hostile-peer.ts'
import { eventually } from './instance.ts'
import { readRecorded } from './recordings.ts'
import type { RecordedIds } from './recorded-ids.ts'

type Json = { [key: string]: any }
/** The two servers that the recorded instance knew: a PeerTube on port 9002 and the recorder on port 7790. */
export type RecordedPeers = {
  peertube: HostilePeer
  recorder: HostilePeer
  /** Follows from the recorder, and of the PeerTube's instance actor. */
  follow(): Promise<void>
  /** Says yes to what `peer` was asked to let follow. */
  accept(peer: HostilePeer): Promise<void>
  /** The PeerTube publishes its video. */
  publish(): Promise<void>
  /** The recorder deletes the note of a recorded activity that it sent. */
  withdraw(number: number): Promise<void>
  /** The recorder sends a recorded activity, by the start of its name. */
  send(number: number): Promise<void>
  stop(): Promise<void>
}

/** Starts both; `inbox()` is the inbox of the test's instance and `ids()` knows the hosts of all. */
export async function startRecordedPeers(inbox: () => string, ids: () => RecordedIds): Promise<RecordedPeers> {
  const [peertube, recorder] = [await startHostilePeer(), await startHostilePeer()]
  const app = await peertube.actor('peertube', 'Application')
  const root = await peertube.actor('root')
  await peertube.actor('root_channel', 'Group', { name: 'Main root channel', attributedTo: [{ type: 'Person', id: root.url }] })
  const recorderApp = await recorder.actor('peertube', 'Application')
  await recorder.actor('alice')
  for (const { url, path } of [app, recorderApp].map(({ url: of }) => ({ url: of, path: '/.well-known/nodeinfo' })))
    (url.startsWith(peertube.url) ? peertube : recorder).serve(path, { links: [] })

  const post = async (peer: HostilePeer, activity: Json & { type: string }) => {
    const { status, text } = await peer.post(inbox(), activity)
    if (status >= 300) throw new Error(`The inbox answered ${status} to a ${activity.type}: ${text}`)
  }
  const follow = async (peer: HostilePeer, actor: HostileActor) =>
    await post(peer, { type: 'Follow', id: peer.id(), actor: actor.url, object: ids().text('http://127.0.0.1:9001/accounts/peertube') })
  const inboxOf = readRecorded<{ name: string; body: Json & { type: string } }[]>('inbox')
  const recordedActivity = (number: number) =>
    ids().body(inboxOf.find(({ name }) => Number(name.slice(0, 4)) === number)!.body) as Json & { type: string }
  const send = async (number: number) => {
    const body = recordedActivity(number)
    if (body.type === 'Create') recorder.serve(new URL(body.object.id).pathname, body.object)
    await post(recorder, body)
  }
  return {
    peertube,
    recorder,
    follow: async () => {
      await follow(peertube, app)
      for (const number of [98, 99, 100]) await send(number)
    },
    accept: async peer => {
      const asked = await eventually(
        async () => peer.received.find(({ activity }) => activity.type === 'Follow')?.activity as Json | undefined,
        20,
        'the Follow'
      )
      await post(peer, { type: 'Accept', id: peer.id(), actor: peer === peertube ? app.url : recorderApp.url, object: asked })
    },
    publish: async () => {
      const document = ids().body(readRecorded('remote-video')) as Json
      peertube.serve(new URL(document.id as string).pathname, document)
      for (const name of ['likes', 'dislikes', 'comments', 'shares', 'hasParts'])
        peertube.serve(new URL(document[name] as string).pathname, { type: 'OrderedCollection', id: document[name], totalItems: 0 })
      await post(peertube, {
        type: 'Create',
        id: `${document.id as string}/activity`,
        actor: root.url,
        to: document.to,
        cc: document.cc,
        object: document
      })
    },
    send,
    withdraw: async number => {
      const { actor, object, to } = recordedActivity(number)
      recorder.refuse(new URL(object.id as string).pathname, 404)
      await post(recorder, { type: 'Delete', id: `${object.id as string}/delete`, actor, to, object: object.id })
    },
    stop: async () => {
      await peertube.stop()
      await recorder.stop()
    }
  }
}
