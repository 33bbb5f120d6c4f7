import { listenForCustomized } from '../core/customized.ts'
import { receiveFollows } from '../actors/follow.activitypub.ts'
import { receiveMoves } from '../actors/move.activitypub.ts'
import { keepChannels } from '../channels/resolve-channel.ts'
import { receiveVideos } from '../videos/incoming.ts'
import { fillOutboxes } from '../videos/outbox.ts'
import { receiveComments } from '../comments/comment.receive.ts'
import { listenForComments } from '../comments/read-comments.job.ts'
import { receiveReactions } from '../reactions/reaction.activitypub.ts'
import { receivePlaylists } from '../playlists/playlist.receive.ts'
import { receiveRedundancies } from '../redundancy/redundancy.activitypub.ts'
import { listenForPlaylists } from '../playlists/read-playlists.job.ts'
import { listenForRepair } from '../videos/repair.job.ts'
import { listenForOrder } from '../transcoding/stage.ts'
import { listenToVideos } from '../videos/remove-files.ts'
import { receiveFlags } from '../moderation/flag.receive.ts'
import { receiveViews } from '../views/view.receive.ts'
import { tellViewersOfVideos } from '../views/viewers.ts'

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
