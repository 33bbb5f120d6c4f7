import type * as PeerTube from '@peertube/peertube-types'
import { expect, it } from 'vitest'
import type { abusesContract } from '../../shared/abuses.ts'
import type { accountsContract } from '../../shared/accounts.ts'
import type { administrationContract } from '../../shared/administration.ts'
import type { blocklistsContract } from '../../shared/blocklists.ts'
import type { channelsContract } from '../../shared/channels.ts'
import type { commentsContract } from '../../shared/comments.ts'
import type { followsContract, subscriptionsContract, subscriptionVideosContract } from '../../shared/follows.ts'
import type { instanceContract } from '../../shared/instance.ts'
import type { playlistsContract } from '../../shared/playlists.ts'
import type { reactionsContract } from '../../shared/reactions.ts'
import type { searchContract } from '../../shared/search.ts'
import type { uploadsContract } from '../../shared/uploads.ts'
import type { videosContract } from '../../shared/videos.ts'
import type { AnswerOf, Missing } from './peertube-types.ts'

type List<T> = PeerTube.ResultList<T>

/** The fields of every answer that the types of PeerTube 8 require and ours lack or has in another kind, as `route: path`. */
type Lacks = {
  oauth:
    | Missing<PeerTube.OAuthClientLocal, AnswerOf<typeof accountsContract, 'GET /oauth-clients/local'>>
    | Missing<PeerTube.UserLogin, AnswerOf<typeof accountsContract, 'POST /users/token'>>
    | Missing<List<PeerTube.TokenSession>, AnswerOf<typeof accountsContract, 'GET /users/:id/token-sessions'>>
  me: Missing<PeerTube.MyUser, AnswerOf<typeof accountsContract, 'GET /users/me'>>
  quota: Missing<PeerTube.UserVideoQuota, AnswerOf<typeof accountsContract, 'GET /users/me/video-quota-used'>>
  users: Missing<List<PeerTube.User>, AnswerOf<typeof accountsContract, 'GET /users'>>
  user: Missing<PeerTube.User, AnswerOf<typeof accountsContract, 'GET /users/:id'>>
  accounts: Missing<List<PeerTube.Account>, AnswerOf<typeof accountsContract, 'GET /accounts'>>
  account: Missing<PeerTube.Account, AnswerOf<typeof accountsContract, 'GET /accounts/:name'>>
  channels:
    | Missing<List<PeerTube.VideoChannel>, AnswerOf<typeof channelsContract, 'GET /video-channels'>>
    | Missing<List<PeerTube.VideoChannel>, AnswerOf<typeof channelsContract, 'GET /accounts/:name/video-channels'>>
    | Missing<List<PeerTube.VideoChannel>, AnswerOf<typeof subscriptionsContract, 'GET /users/me/subscriptions'>>
    | Missing<List<PeerTube.VideoChannel>, AnswerOf<typeof searchContract, 'GET /search/video-channels'>>
  channel: Missing<PeerTube.VideoChannel, AnswerOf<typeof channelsContract, 'GET /video-channels/:channelHandle'>>
  videos:
    | Missing<List<PeerTube.Video>, AnswerOf<typeof videosContract, 'GET /videos'>>
    | Missing<List<PeerTube.Video>, AnswerOf<typeof searchContract, 'GET /search/videos'>>
    | Missing<List<PeerTube.Video>, AnswerOf<typeof subscriptionVideosContract, 'GET /users/me/subscriptions/videos'>>
  video: Missing<PeerTube.VideoDetails, AnswerOf<typeof videosContract, 'GET /videos/:id'>>
  source: Missing<PeerTube.VideoSource, AnswerOf<typeof videosContract, 'GET /videos/:id/source'>>
  passwords: Missing<List<PeerTube.VideoPassword>, AnswerOf<typeof videosContract, 'GET /videos/:id/passwords'>>
  uploaded: Missing<PeerTube.VideoCreateResult, AnswerOf<typeof uploadsContract, 'POST /videos/upload'>['video']>
  rating: Missing<PeerTube.UserVideoRate, AnswerOf<typeof reactionsContract, 'GET /users/me/videos/:id/rating'>>
  comments: Missing<List<PeerTube.VideoComment>, AnswerOf<typeof commentsContract, 'GET /videos/:id/comment-threads'>>
  thread: Missing<PeerTube.VideoCommentThreadTree, AnswerOf<typeof commentsContract, 'GET /videos/:id/comment-threads/:threadId'>>
  commentsOfMyVideos: Missing<List<PeerTube.VideoCommentForAdminOrUser>, AnswerOf<typeof commentsContract, 'GET /users/me/videos/comments'>>
  playlists: Missing<List<PeerTube.VideoPlaylist>, AnswerOf<typeof playlistsContract, 'GET /video-playlists'>>
  playlist: Missing<PeerTube.VideoPlaylist, AnswerOf<typeof playlistsContract, 'GET /video-playlists/:playlistId'>>
  elements: Missing<List<PeerTube.VideoPlaylistElement>, AnswerOf<typeof playlistsContract, 'GET /video-playlists/:playlistId/videos'>>
  follows:
    | Missing<List<PeerTube.ActorFollow>, AnswerOf<typeof followsContract, 'GET /server/followers'>>
    | Missing<List<PeerTube.ActorFollow>, AnswerOf<typeof followsContract, 'GET /server/following'>>
  blocks:
    | Missing<List<PeerTube.AccountBlock>, AnswerOf<typeof blocklistsContract, 'GET /server/blocklist/accounts'>>
    | Missing<List<PeerTube.ServerBlock>, AnswerOf<typeof blocklistsContract, 'GET /server/blocklist/servers'>>
  blockStatus: Missing<PeerTube.BlockStatus, AnswerOf<typeof blocklistsContract, 'GET /blocklist/status'>>
  abuses: Missing<List<PeerTube.AdminAbuse>, AnswerOf<typeof abusesContract, 'GET /abuses'>>
  myAbuses: Missing<List<PeerTube.UserAbuse>, AnswerOf<typeof abusesContract, 'GET /users/me/abuses'>>
  abuseMessages: Missing<List<PeerTube.AbuseMessage>, AnswerOf<typeof abusesContract, 'GET /abuses/:id/messages'>>
  jobs: Missing<List<PeerTube.Job>, AnswerOf<typeof instanceContract, 'GET /jobs'>>
  debug: Missing<PeerTube.Debug, AnswerOf<typeof instanceContract, 'GET /server/debug'>>
  about: Missing<PeerTube.About, AnswerOf<typeof instanceContract, 'GET /config/about'>>
  config: Missing<PeerTube.ServerConfig, AnswerOf<typeof instanceContract, 'GET /config'>>
  customConfig: Missing<PeerTube.CustomConfig, AnswerOf<typeof administrationContract, 'GET /config/custom'>>
  stats: Missing<PeerTube.ServerStats, AnswerOf<typeof instanceContract, 'GET /server/stats'>>
}
type AllLacks = { [K in keyof Lacks]: Lacks[K] extends infer F extends string ? `${K}: ${F}` : never }[keyof Lacks]

/** Why each field that is not implemented is not; the compiler refuses one that is missing here and one that is not missing any more. */
const NOT_IMPLEMENTED: Record<AllLacks, string> = {
  'commentsOfMyVideos: data.video.channel': 'The channel of the video of a comment in the lists of moderation',
  'me: newFeaturesInfoRead': 'News about versions of PeerTube',
  'me: nsfwFlagsBlurred': 'Kinds of sensitive content',
  'me: nsfwFlagsDisplayed': 'Kinds of sensitive content',
  'me: nsfwFlagsHidden': 'Kinds of sensitive content',
  'me: nsfwFlagsWarned': 'Kinds of sensitive content',
  'oauth: data.createdAt': '`loginDate` says the same',
  'oauth: data.lastActivityDevice': 'Devices and addresses of sessions',
  'oauth: data.lastActivityIP': 'Devices and addresses of sessions',
  'oauth: data.loginDevice': 'Devices and addresses of sessions',
  'oauth: data.loginIP': 'Devices and addresses of sessions',
  'playlist: thumbnails': 'Pictures in several sizes',
  'playlist: videoChannelPosition': 'The order of the playlists of a channel',
  'playlists: data.thumbnails': 'Pictures in several sizes',
  'playlists: data.videoChannelPosition': 'The order of the playlists of a channel',
  'user: newFeaturesInfoRead': 'News about versions of PeerTube',
  'user: nsfwFlagsBlurred': 'Kinds of sensitive content',
  'user: nsfwFlagsDisplayed': 'Kinds of sensitive content',
  'user: nsfwFlagsHidden': 'Kinds of sensitive content',
  'user: nsfwFlagsWarned': 'Kinds of sensitive content',
  'users: data.newFeaturesInfoRead': 'News about versions of PeerTube',
  'users: data.nsfwFlagsBlurred': 'Kinds of sensitive content',
  'users: data.nsfwFlagsDisplayed': 'Kinds of sensitive content',
  'users: data.nsfwFlagsHidden': 'Kinds of sensitive content',
  'users: data.nsfwFlagsWarned': 'Kinds of sensitive content',
  'video: embedPrivacyPolicy': 'Sites that may embed a video',
  'video: thumbnails': 'Pictures in several sizes',
  'videos: data.thumbnails': 'Pictures in several sizes'
}

it('answers have all fields that the types of PeerTube 8 require, but for those with a reason', () => {
  for (const reason of Object.values(NOT_IMPLEMENTED)) expect(reason).not.toBe('')
})

it('the compiler finds what is missing, however deep', () => {
  type Expected = { here: string; gone: number; kind: number; maybe?: string; list: { at: Date; inner: { gone: string } }[] }
  type Ours = { here: string; kind: string | null; list: { at: string; inner: object }[] | null }
  const missing: Record<Missing<Expected, Ours>, true> = { gone: true, kind: true, 'list.inner.gone': true }
  // @ts-expect-error: a list that leaves one out does not compile
  const incomplete: Record<Missing<Expected, Ours>, true> = { gone: true, kind: true }
  expect(Object.keys(missing)).not.toEqual(Object.keys(incomplete))
})
