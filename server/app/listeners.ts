import { listenForCustomized } from '../core/admin-overrides.ts'
import { receiveFollows } from '../actors/follow.inbox.ts'
import { receiveMoves } from '../actors/move.inbox.ts'
import { keepChannels } from '../channels/resolve-channel.ts'
import { receiveVideos } from '../videos/video.inbox.ts'
import { fillOutboxes } from '../videos/outbox-collection.ts'
import { receiveComments } from '../comments/comment.inbox.ts'
import { listenForComments } from '../comments/crawl-comments.job.ts'
import { receiveReactions } from '../reactions/reaction.inbox.ts'
import { receivePlaylists } from '../playlists/playlist.inbox.ts'
import { receiveRedundancies } from '../redundancy/redundancy.inbox.ts'
import { listenForPlaylists } from '../playlists/crawl-playlists.job.ts'
import { listenForRepair } from '../videos/crawl.job.ts'
import { listenForOrder } from '../transcoding/scheduler.ts'
import { listenToVideos } from '../videos/remove-video-files.ts'
import { receiveFlags } from '../moderation/flag.inbox.ts'
import { receiveViews } from '../views/view.inbox.ts'
import { tellViewersOfVideos } from '../views/viewer-presence.ts'

/** Connects the floors that hear news from below; called once at start. */
export function startListening(): void {
  listenForCustomized()
  keepChannels()
  receiveFollows()
  receiveMoves()
  receiveReactions()
  receiveComments()
  listenForComments()
  receivePlaylists()
  receiveViews()
  receiveFlags()
  tellViewersOfVideos()
  receiveRedundancies()
  listenToVideos()
  listenForOrder()
  receiveVideos()
  fillOutboxes()
  listenForRepair()
  listenForPlaylists()
}
