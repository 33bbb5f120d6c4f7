import { listenForAdminOverrides } from '../core/admin-overrides.ts'
import { listenForRefreshRequests } from '../fediverse/refresh-objects.job.ts'
import { registerDebugCommands } from '../instance/debug-commands.ts'
import { debugCommands } from './debug-commands.ts'
import { registerActorAddresses } from '../actors/actor-addresses.ts'
import { registerFollowInboxHandlers } from '../actors/follow.inbox.ts'
import { registerMoveInboxHandlers } from '../actors/move.inbox.ts'
import { registerRemoteGroupHandler } from '../channels/resolve-channel.ts'
import { registerQuoteRequestHandler } from '../videos/quote-request.inbox.ts'
import { registerVideoAddresses } from '../videos/video-addresses.ts'
import { registerVideoInboxHandlers } from '../videos/video.inbox.ts'
import { registerOutboxCollections } from '../videos/outbox-collection.ts'
import { registerCommentHandlers } from '../comments/comment.inbox.ts'
import { crawlCommentsOfNewVideos } from '../comments/crawl-comments.job.ts'
import { registerReactionInboxHandlers } from '../reactions/reaction.inbox.ts'
import { registerPlaylistHandlers } from '../playlists/playlist.inbox.ts'
import { registerRedundancyInboxHandlers } from '../redundancy/redundancy.inbox.ts'
import { crawlPlaylistsOfNewFollows } from '../playlists/crawl-playlists-of-actor.job.ts'
import { listenForCrawlTriggers } from '../videos/crawl-triggers.ts'
import { listenForTranscodingPriorities } from '../transcoding/scheduler.ts'
import { listenForVideoDeletions } from '../videos/remove-video-files.ts'
import { registerFlagHandler } from '../moderation/flag.inbox.ts'
import { registerViewInboxHandlers } from '../views/view.inbox.ts'
import { registerViewerCountSource } from '../views/viewer-presence.ts'

/** Registers all event listeners and inbox handlers of the feature layers; called once at start. */
export function registerListeners(): void {
  listenForAdminOverrides()
  listenForRefreshRequests()
  registerRemoteGroupHandler()
  registerActorAddresses()
  registerVideoAddresses()
  registerFollowInboxHandlers()
  registerMoveInboxHandlers()
  registerReactionInboxHandlers()
  registerCommentHandlers()
  crawlCommentsOfNewVideos()
  registerPlaylistHandlers()
  registerViewInboxHandlers()
  registerFlagHandler()
  registerViewerCountSource()
  registerRedundancyInboxHandlers()
  listenForVideoDeletions()
  listenForTranscodingPriorities()
  registerVideoInboxHandlers()
  registerQuoteRequestHandler()
  registerOutboxCollections()
  listenForCrawlTriggers()
  crawlPlaylistsOfNewFollows()
  registerDebugCommands(debugCommands)
}
