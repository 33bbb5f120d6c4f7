import type { createTestClient } from '../instance.ts'

/** The public origin of every recorded instance. */
export const RECORDED_ORIGIN = 'http://tube.example'
/** The host that stands for the follower in a recorded instance, whose real port was a free one. */
export const RECORDED_FOLLOWER = 'follower.example'
/** The password of everybody on a recorded instance. */
export const RECORDED_PASSWORD = 'password1'

type Call = Awaited<ReturnType<typeof createTestClient>>['call']
/** An address that an instance announced and what it answered: the `id` of an ActivityPub document, or the `sha256` of a file. */
export type RecordedAddress = { url: string; status: number; id?: string | null; sha256?: string }
/** What is recorded of an instance beside its database and its files; `served` are the documents of the follower, by path. */
export type RecordedInstance = {
  commit: string
  videos: { uuid: string; privacy: number }[]
  playlist: string
  addresses: RecordedAddress[]
  facts: RecordedFacts
  served: Record<string, { [key: string]: unknown }>
}
/** What users see of their instance. */
export type RecordedFacts = Awaited<ReturnType<typeof readFacts>>

/** Reads what visitors and both users of a recorded instance see. */
export async function readFacts(call: Call, tokens: { ada: string; grace: string }, playlist: string) {
  const read = async (key: string, token?: string) => {
    const { status, json, text } = await call(`GET ${key}`, { token })
    if (status !== 200) throw new Error(`${key}: ${status} ${text}`)
    return json
  }
  const { data } = await read('/videos?sort=name&count=50&isLocal=true')
  const videos = []
  for (const { uuid, name, likes, dislikes, views, duration } of data) {
    const threads = (await read(`/videos/${uuid}/comment-threads?sort=createdAt`)).data
    const comments = []
    for (const { id, html, account } of threads) {
      const { children } = await read(`/videos/${uuid}/comment-threads/${id}`)
      comments.push({
        author: account.name,
        html,
        replies: children.map(({ comment }: { comment: { html: string } }) => comment.html)
      })
    }
    const captions = (await read(`/videos/${uuid}/captions`)).data.map(({ language }: { language: { id: string } }) => language.id)
    const { rating } = await read(`/users/me/videos/${uuid}/rating`, tokens.grace)
    const { resolutions, description } = await read(`/videos/${uuid}`).then(({ streamingPlaylists, ...video }) => ({
      description: video.description,
      resolutions: streamingPlaylists[0].files.map(({ resolution }: { resolution: { id: number } }) => resolution.id)
    }))
    videos.push({ uuid, name, description, likes, dislikes, views, duration, comments, captions, rating, resolutions })
  }
  const names = (list: { name?: string; displayName?: string }[]) => list.map(({ name, displayName }) => name ?? displayName).sort()
  return {
    videos,
    // What only one of them subscribes to is in no public list.
    remote: names((await read('/users/me/subscriptions/videos?isLocal=false', tokens.grace)).data),
    ofAda: names((await read('/users/me/videos?count=50', tokens.ada)).data),
    playlist: (await read(`/video-playlists/${playlist}/videos`)).data.map(({ video }: { video: { name: string } }) => video.name),
    subscriptions: names((await read('/users/me/subscriptions', tokens.grace)).data),
    channels: names((await read('/accounts/ada/video-channels')).data),
    followers: (await read('/server/followers')).data.map(({ state }: { state: string }) => state)
  }
}
