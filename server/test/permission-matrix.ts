/** Who sends the requests of the matrix, in the order of the columns. */
export const SENDERS = ['nobody', 'other', 'owner', 'moderator', 'administrator'] as const
/** One of them. */
export type Sender = (typeof SENDERS)[number]

/**
 * The answers to each of `SENDERS`: `ok` for a success (2xx, or 308 for the rest of an upload), else exactly the status of the refusal.
 * `other` and `owner` are users without a role. What the request names is the owner's; where it belongs to somebody with a role, that is `owner`.
 * Where the request is about whoever sends it, everybody is the owner. `administrator` is not root.
 */
export type PermissionAnswers = string

const EVERYBODY = 'ok ok ok ok ok'
const USERS = '401 ok ok ok ok'
const OWNER_AND_MODERATORS = '401 403 ok ok ok'
const OWNER_ALONE = '401 403 ok 403 403'
const MODERATORS = '401 403 403 ok ok'
const ADMINISTRATORS = '401 403 403 403 ok'
/** What belongs to somebody with a role is managed by that somebody and by administrators. */
const OF_SOMEBODY_WITH_A_ROLE = '401 403 ok 403 ok'
/** A list of one's own, in which others have nothing. */
const IN_OWN_LIST = '401 404 ok 404 404'

/** Every route of the API, or a case of one in brackets, and who may call it. */
export const PERMISSIONS: Readonly<Record<string, PermissionAnswers>> = {
  // Reports: everybody with an account reports, moderators decide, and the two write to each other.
  'POST /abuses': USERS,
  'GET /abuses': MODERATORS,
  'PUT /abuses/:id': MODERATORS,
  'DELETE /abuses/:id': MODERATORS,
  'GET /abuses/:id/messages': OWNER_AND_MODERATORS,
  'POST /abuses/:id/messages': OWNER_AND_MODERATORS,
  'DELETE /abuses/:id/messages/:messageId': OWNER_AND_MODERATORS,
  'DELETE /abuses/:id/messages/:messageId [of a moderator]': MODERATORS,
  'GET /users/me/abuses': USERS,

  // Sessions: one's own, and those of users whom one manages.
  'GET /oauth-clients/local': EVERYBODY,
  'POST /users/token': EVERYBODY,
  'POST /users/token [of a blocked user]': '400 400 400 400 400',
  'POST /users/revoke-token': USERS,
  'GET /users/:id/token-sessions': OWNER_AND_MODERATORS,
  'GET /users/:id/token-sessions [of a moderator]': OF_SOMEBODY_WITH_A_ROLE,
  'GET /users/:id/token-sessions [of an administrator]': OF_SOMEBODY_WITH_A_ROLE,
  'POST /users/:id/token-sessions/:session/revoke': OWNER_AND_MODERATORS,
  'POST /users/:id/token-sessions/:session/revoke [of a moderator]': OF_SOMEBODY_WITH_A_ROLE,
  'POST /users/:id/token-sessions/:session/revoke [of an administrator]': OF_SOMEBODY_WITH_A_ROLE,
  'POST /users/:id/token-sessions/:session/revoke [of another user than named]': '401 403 404 404 404',

  // One's own account.
  'POST /users/register': EVERYBODY,
  'GET /users/me': USERS,
  'PUT /users/me': USERS,
  'DELETE /users/me': USERS,
  'GET /users/me/video-quota-used': USERS,
  'POST /users/me/avatar/pick': USERS,
  'DELETE /users/me/avatar': USERS,

  // Moderators manage users without a role, administrators everybody; nobody removes or blocks root.
  'GET /users': MODERATORS,
  'POST /users': MODERATORS,
  'POST /users [a moderator]': ADMINISTRATORS,
  'POST /users [an administrator]': ADMINISTRATORS,
  'GET /users/autocomplete': EVERYBODY,
  'GET /users/:id': MODERATORS,
  'PUT /users/:id': MODERATORS,
  'PUT /users/:id [a moderator]': ADMINISTRATORS,
  'PUT /users/:id [an administrator]': ADMINISTRATORS,
  'PUT /users/:id [into a moderator]': ADMINISTRATORS,
  'PUT /users/:id [into an administrator]': ADMINISTRATORS,
  'PUT /users/:id [root into a user]': '401 403 403 403 400',
  'PUT /users/:id [password of root]': '401 403 403 403 403',
  'PUT /users/:id [e-mail of root]': '401 403 403 403 403',
  'DELETE /users/:id': MODERATORS,
  'DELETE /users/:id [a moderator]': ADMINISTRATORS,
  'DELETE /users/:id [an administrator]': ADMINISTRATORS,
  'DELETE /users/:id [root]': '401 403 403 403 400',
  'POST /users/:id/block': MODERATORS,
  'POST /users/:id/block [a moderator]': ADMINISTRATORS,
  'POST /users/:id/block [an administrator]': ADMINISTRATORS,
  'POST /users/:id/block [root]': '401 403 403 403 400',
  'POST /users/:id/unblock': MODERATORS,
  'POST /users/:id/unblock [a moderator]': ADMINISTRATORS,
  'POST /users/:id/unblock [an administrator]': ADMINISTRATORS,
  'GET /accounts': EVERYBODY,
  'GET /accounts/:name': EVERYBODY,

  // The instance.
  'GET /server/health': ADMINISTRATORS,
  'GET /config/custom': ADMINISTRATORS,
  'PUT /config/custom': ADMINISTRATORS,
  'PATCH /config/custom': ADMINISTRATORS,
  'DELETE /config/custom': ADMINISTRATORS,
  'POST /config/instance-avatar/pick': ADMINISTRATORS,
  'DELETE /config/instance-avatar': ADMINISTRATORS,
  'POST /config/instance-banner/pick': ADMINISTRATORS,
  'DELETE /config/instance-banner': ADMINISTRATORS,
  'GET /ping': EVERYBODY,
  'GET /config': EVERYBODY,
  'GET /config/about': EVERYBODY,
  'GET /server/stats': EVERYBODY,
  'GET /server/debug': ADMINISTRATORS,
  'POST /server/debug/run-command': ADMINISTRATORS,
  'POST /server/logs/client': EVERYBODY,
  'POST /metrics/playback': EVERYBODY,
  'GET /jobs': ADMINISTRATORS,
  'GET /jobs/:state': ADMINISTRATORS,
  'POST /jobs/pause': ADMINISTRATORS,
  'POST /jobs/resume': ADMINISTRATORS,

  // Blocklists: one's own, and the instance's, where moderators may not silence those whom they do not manage.
  'GET /users/me/blocklist/accounts': USERS,
  'POST /users/me/blocklist/accounts': USERS,
  'DELETE /users/me/blocklist/accounts/:accountName': IN_OWN_LIST,
  'GET /users/me/blocklist/servers': USERS,
  'POST /users/me/blocklist/servers': USERS,
  'DELETE /users/me/blocklist/servers/:host': IN_OWN_LIST,
  'GET /server/blocklist/accounts': MODERATORS,
  'POST /server/blocklist/accounts': MODERATORS,
  'POST /server/blocklist/accounts [a moderator]': ADMINISTRATORS,
  'POST /server/blocklist/accounts [an administrator]': ADMINISTRATORS,
  'DELETE /server/blocklist/accounts/:accountName': MODERATORS,
  'GET /server/blocklist/servers': MODERATORS,
  'POST /server/blocklist/servers': MODERATORS,
  'DELETE /server/blocklist/servers/:host': MODERATORS,
  'GET /blocklist/status': EVERYBODY,

  // Channels are part of the account they belong to.
  'GET /video-channels': EVERYBODY,
  'POST /video-channels': USERS,
  'GET /users/me/channel-names/:name': USERS,
  'GET /video-channels/:channelHandle': EVERYBODY,
  'PUT /video-channels/:channelHandle': OWNER_AND_MODERATORS,
  'PUT /video-channels/:channelHandle [of a moderator]': OF_SOMEBODY_WITH_A_ROLE,
  'PUT /video-channels/:channelHandle [of an administrator]': OF_SOMEBODY_WITH_A_ROLE,
  'DELETE /video-channels/:channelHandle': OWNER_AND_MODERATORS,
  'DELETE /video-channels/:channelHandle [of a moderator]': OF_SOMEBODY_WITH_A_ROLE,
  'DELETE /video-channels/:channelHandle [of an administrator]': OF_SOMEBODY_WITH_A_ROLE,
  'POST /video-channels/:channelHandle/avatar/pick': OWNER_AND_MODERATORS,
  'POST /video-channels/:channelHandle/avatar/pick [of an administrator]': OF_SOMEBODY_WITH_A_ROLE,
  'POST /video-channels/:channelHandle/banner/pick': OWNER_AND_MODERATORS,
  'POST /video-channels/:channelHandle/banner/pick [of an administrator]': OF_SOMEBODY_WITH_A_ROLE,
  'DELETE /video-channels/:channelHandle/avatar': OWNER_AND_MODERATORS,
  'DELETE /video-channels/:channelHandle/avatar [of an administrator]': OF_SOMEBODY_WITH_A_ROLE,
  'DELETE /video-channels/:channelHandle/banner': OWNER_AND_MODERATORS,
  'DELETE /video-channels/:channelHandle/banner [of an administrator]': OF_SOMEBODY_WITH_A_ROLE,
  'GET /accounts/:name/video-channels': EVERYBODY,

  // Comments are deleted by their author, by the owner of the video and by moderators, and approved by the latter two.
  'GET /videos/:id/comment-threads': EVERYBODY,
  'POST /videos/:id/comment-threads': USERS,
  'GET /videos/:id/comment-threads/:threadId': EVERYBODY,
  'GET /videos/:id/comment-threads/:threadId [held]': '404 404 ok ok ok',
  'POST /videos/:id/comments/:commentId': USERS,
  'POST /videos/:id/comments/:commentId [held]': '401 404 ok ok ok',
  'DELETE /videos/:id/comments/:commentId': OWNER_AND_MODERATORS,
  'DELETE /videos/:id/comments/:commentId [below a video of the owner]': OWNER_AND_MODERATORS,
  'POST /videos/:id/comments/:commentId/approve': OWNER_AND_MODERATORS,
  'POST /videos/:id/comments/:commentId/approve [of the owner, below a video of somebody else]': MODERATORS,
  'GET /users/me/videos/comments': USERS,
  'GET /videos/comments': MODERATORS,
  'POST /bulk/remove-comments-of': USERS,
  'POST /bulk/remove-comments-of [on the instance]': MODERATORS,

  // Other servers.
  'GET /server/peers': ADMINISTRATORS,
  'POST /server/peers/:host/retry': ADMINISTRATORS,
  'POST /server/peers/:host/resync': ADMINISTRATORS,
  'GET /server/ineffective-activities': ADMINISTRATORS,
  'POST /server/ineffective-activities/:id/process': ADMINISTRATORS,
  'GET /server/unsendable-activities': ADMINISTRATORS,
  'POST /server/unsendable-activities/retry': ADMINISTRATORS,
  'GET /server/followers': EVERYBODY,
  'GET /server/following': EVERYBODY,
  'GET /server/following/wanted': ADMINISTRATORS,
  'POST /server/following': ADMINISTRATORS,
  'DELETE /server/following/:hostOrHandle': ADMINISTRATORS,
  'DELETE /server/followers/:handle': ADMINISTRATORS,
  'POST /server/followers/:handle/accept': ADMINISTRATORS,
  'POST /server/followers/:handle/reject': ADMINISTRATORS,

  // Subscriptions are one's own. Who follows an account is for its owner, who follows a channel also for those who manage the channel.
  'GET /users/me/subscriptions': USERS,
  'POST /users/me/subscriptions': USERS,
  'GET /users/me/subscriptions/exist': USERS,
  'GET /users/me/subscriptions/:uri': IN_OWN_LIST,
  'DELETE /users/me/subscriptions/:uri': IN_OWN_LIST,
  'GET /accounts/:name/followers': OWNER_ALONE,
  'GET /video-channels/:channelHandle/followers': OWNER_AND_MODERATORS,
  'GET /users/me/subscriptions/videos': USERS,

  // Playlists.
  'GET /video-playlists/privacies': EVERYBODY,
  'GET /video-playlists': EVERYBODY,
  'POST /video-playlists': USERS,
  'GET /video-playlists/:playlistId': EVERYBODY,
  'GET /video-playlists/:playlistId [private]': OWNER_AND_MODERATORS,
  'GET /video-playlists/:playlistId [unlisted, by its number]': '404 404 ok ok ok',
  'GET /video-playlists/:playlistId [unlisted, by its UUID]': EVERYBODY,
  'PUT /video-playlists/:playlistId': OWNER_AND_MODERATORS,
  'DELETE /video-playlists/:playlistId': OWNER_AND_MODERATORS,
  'GET /video-playlists/:playlistId/videos': EVERYBODY,
  'GET /video-playlists/:playlistId/videos [private]': OWNER_AND_MODERATORS,
  'GET /video-playlists/:playlistId/videos [unlisted, by its number]': '404 404 ok ok ok',
  'POST /video-playlists/:playlistId/videos': OWNER_AND_MODERATORS,
  'POST /video-playlists/:playlistId/videos/reorder': OWNER_AND_MODERATORS,
  'PUT /video-playlists/:playlistId/videos/:elementId': OWNER_AND_MODERATORS,
  'PUT /video-playlists/:playlistId/videos/:elementId [of another playlist]': '401 403 404 404 404',
  'DELETE /video-playlists/:playlistId/videos/:elementId': OWNER_AND_MODERATORS,
  'DELETE /video-playlists/:playlistId/videos/:elementId [of another playlist]': '401 403 404 404 404',
  'GET /users/me/video-playlists/videos-exist': USERS,
  'GET /accounts/:name/video-playlists': EVERYBODY,
  'GET /video-channels/:channelHandle/video-playlists': EVERYBODY,

  // Ratings: what somebody liked is not for moderators either.
  'PUT /videos/:id/rate': USERS,
  'GET /users/me/videos/:id/rating': USERS,
  'GET /accounts/:name/ratings': OWNER_ALONE,

  'GET /search/videos': EVERYBODY,
  'GET /search/video-channels': EVERYBODY,

  // Renditions: the owner sees how far the encoding is, administrators decide about it.
  'GET /videos/:id/transcoding': OWNER_AND_MODERATORS,
  'GET /server/transcodings': ADMINISTRATORS,
  'GET /server/encoders': ADMINISTRATORS,
  'PUT /server/transcodings/:id': ADMINISTRATORS,
  'DELETE /server/transcodings/:id': ADMINISTRATORS,
  'DELETE /videos/:id/hls': ADMINISTRATORS,
  'DELETE /videos/:id/hls/:fileId': ADMINISTRATORS,
  'DELETE /videos/:id/web-videos': ADMINISTRATORS,
  'DELETE /videos/:id/web-videos/:fileId': ADMINISTRATORS,
  'POST /videos/:id/transcoding': ADMINISTRATORS,

  // Uploads are nobody else's, whatever the role.
  'POST /videos/upload': USERS,
  'GET /users/me/uploads': USERS,
  'POST /videos/upload-resumable': USERS,
  'PUT /videos/upload-resumable': OWNER_ALONE,
  'DELETE /videos/upload-resumable': OWNER_ALONE,

  // Videos; those that are not public are in READS_BY_PRIVACY.
  'GET /videos': EVERYBODY,
  'GET /videos/categories': EVERYBODY,
  'GET /videos/licences': EVERYBODY,
  'GET /videos/languages': EVERYBODY,
  'GET /videos/privacies': EVERYBODY,
  'GET /accounts/:name/videos': EVERYBODY,
  'GET /video-channels/:channelHandle/videos': EVERYBODY,
  'GET /users/me/videos': USERS,
  'GET /videos/:id': EVERYBODY,
  'GET /videos/:id/description': EVERYBODY,
  'PUT /videos/:id': OWNER_AND_MODERATORS,
  'DELETE /videos/:id': OWNER_AND_MODERATORS,
  'GET /videos/:id/source': OWNER_AND_MODERATORS,
  'GET /videos/:id/metadata/:videoFileId': EVERYBODY,
  'GET /videos/:id/storyboards': EVERYBODY,
  'GET /videos/:id/captions': EVERYBODY,
  'GET /videos/:id/caption-tracks': EVERYBODY,
  'DELETE /videos/:id/captions/:captionLanguage': OWNER_AND_MODERATORS,
  'GET /videos/:id/chapters': EVERYBODY,
  'GET /video-channels/:channelHandle/reading': EVERYBODY,
  'POST /videos/:id/token': USERS,
  'GET /videos/:id/passwords': OWNER_AND_MODERATORS,
  'PUT /videos/:id/passwords': OWNER_AND_MODERATORS,
  'DELETE /videos/:id/passwords/:passwordId': OWNER_AND_MODERATORS,
  'DELETE /videos/:id/passwords/:passwordId [of another video]': '401 403 404 404 404',
  'POST /videos/:id/views': EVERYBODY
}

/** Every route that acts on a video whoever sends the request is allowed to watch. */
export const WATCHING_ROUTES: readonly string[] = [
  'GET /videos/:id',
  'GET /videos/:id/description',
  'GET /videos/:id/metadata/:videoFileId',
  'GET /videos/:id/storyboards',
  'GET /videos/:id/captions',
  'GET /videos/:id/caption-tracks',
  'GET /videos/:id/chapters',
  'POST /videos/:id/token',
  'GET /videos/:id/comment-threads',
  'GET /videos/:id/comment-threads/:threadId',
  'POST /videos/:id/comment-threads',
  'POST /videos/:id/comments/:commentId',
  'POST /videos/:id/views',
  'PUT /videos/:id/rate',
  'GET /users/me/videos/:id/rating'
]

/** What they answer by the privacy of the video; without an account 401 where a route needs one (and for a file token of a video that is open). */
export const READS_BY_PRIVACY: Readonly<Record<string, PermissionAnswers>> = {
  public: EVERYBODY,
  'unlisted, by its UUID': EVERYBODY,
  // Numbers can be guessed.
  'unlisted, by its number': OWNER_AND_MODERATORS,
  private: OWNER_AND_MODERATORS,
  internal: USERS,
  'password protected': '403 403 ok ok ok',
  'password protected, with a wrong password': '403 403 ok ok ok',
  'password protected, with the password': EVERYBODY
}

/** What a user may not name in a body: something of somebody else. Everything else of these requests is the sender's own. */
export const FOREIGN_FIELDS: Readonly<Record<string, number>> = {
  'POST /videos/upload channelId of somebody else': 400,
  'POST /videos/upload-resumable channelId of somebody else': 400,
  'PUT /videos/:id channelId of somebody else': 400,
  'PUT /videos/:id channelId of somebody else, by a moderator who owns it': 400,
  'POST /video-playlists videoChannelId of somebody else': 400,
  'PUT /video-playlists/:playlistId videoChannelId of somebody else': 400,
  'POST /video-playlists/:playlistId/videos videoId of a private video': 403,
  'POST /video-playlists/:playlistId/videos videoId of a video with a password': 403,
  'POST /video-playlists/:playlistId/videos videoId of an unlisted video, by its number': 403,
  'POST /abuses video of somebody else that is private': 403,
  'POST /abuses comment below a private video': 403,
  'POST /abuses comment that is held': 404,
  'GET /users/me/videos channelId of somebody else': 404,
  'GET /users/me/videos/comments videoId of somebody else': 403,
  'GET /users/me/videos/comments videoChannelId of somebody else': 403
}
