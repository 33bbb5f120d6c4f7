import { Router } from 'express'
import { blocklistRoutes } from '../accounts/blocklist.routes.ts'
import { accountsRoutes } from '../accounts/accounts.routes.ts'
import { actorDocumentsRouter } from '../actors/actor-documents.routes.ts'
import { followsRoutes } from '../actors/follows.routes.ts'
import { webfingerRouter } from '../actors/webfinger.routes.ts'
import { channelsRoutes } from '../channels/channels.routes.ts'
import { subscriptionsRoutes } from '../channels/subscriptions.routes.ts'
import { peersRoutes } from '../fediverse/peers.routes.ts'
import { administrationRoutes } from '../instance/administration.routes.ts'
import { instanceRoutes } from '../instance/instance.routes.ts'
import { nodeinfoRouter } from '../instance/nodeinfo.routes.ts'
import { openapiRouter } from '../instance/openapi.routes.ts'
import { securityTxtRouter } from '../instance/security-txt.routes.ts'
import { pagesRouter } from '../pages/pages.routes.ts'
import { commentAttachmentsRouter } from '../comments/comment-attachments.routes.ts'
import { commentDocumentsRouter, commentsRoutes } from '../comments/comments.routes.ts'
import { playlistDocumentsRouter, playlistsRoutes } from '../playlists/playlists.routes.ts'
import { reactionDocumentsRouter, reactionsRoutes } from '../reactions/reactions.routes.ts'
import { redundancyDocumentsRouter } from '../redundancy/redundancy-documents.routes.ts'
import { searchRoutes } from '../search/search.routes.ts'
import { transcodingRoutes } from '../transcoding/transcoding.routes.ts'
import { uploadsRoutes } from '../uploads/uploads.routes.ts'
import { videoDocumentsRouter } from '../videos/video-documents.routes.ts'
import { subscriptionVideosRoutes } from '../videos/subscription-videos.routes.ts'
import { videosRoutes } from '../videos/videos.routes.ts'
import { viewsRoutes } from '../views/views.routes.ts'
import { abusesRoutes } from '../moderation/abuses.routes.ts'
import { apiContracts } from './contracts.ts'

/** Returns one router with all routes below /api/v1. */
export function apiRoutes(): Router {
  const router = Router()
  // Uploads and comments first: otherwise /videos/upload-resumable and /videos/comments would match /videos/:id.
  router.use(
    uploadsRoutes,
    transcodingRoutes,
    searchRoutes,
    commentsRoutes,
    videosRoutes,
    viewsRoutes,
    subscriptionVideosRoutes,
    subscriptionsRoutes,
    followsRoutes,
    reactionsRoutes,
    playlistsRoutes,
    abusesRoutes,
    channelsRoutes,
    blocklistRoutes,
    accountsRoutes,
    peersRoutes,
    administrationRoutes,
    instanceRoutes,
    openapiRouter(apiContracts)
  )
  return router
}

/** Returns every router outside the API, except the files, with its mount path; the pages come last and match every remaining path. */
export function siteRoutes(): [string, Router][] {
  return [
    ['/', actorDocumentsRouter],
    ['/', webfingerRouter],
    ['/', reactionDocumentsRouter],
    ['/', commentDocumentsRouter],
    ['/', commentAttachmentsRouter],
    ['/', playlistDocumentsRouter],
    ['/', redundancyDocumentsRouter],
    ['/', videoDocumentsRouter],
    ['/', nodeinfoRouter],
    ['/', securityTxtRouter],
    ['/', pagesRouter]
  ]
}
