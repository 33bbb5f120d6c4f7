import { Router, type Request, type Response } from 'express'
import { longUuid, shortUuid } from '../../shared/short-uuid.ts'
import { playlistsContract } from '../../shared/playlists.ts'
import { config } from '../core/config.ts'
import { limitRate } from '../core/request-rate-limit.ts'
import { paging } from '../core/paging.ts'
import { invalidParams, notFound } from '../core/problem.ts'
import { implementContract } from '../core/route.ts'
import { sql } from '../core/sql.ts'
import { findAccount } from '../actors/accounts.query.ts'
import { sendActivityPubDocument, acceptsActivityPub } from '../actors/activitypub-response.ts'
import { findChannel } from '../channels/channels.query.ts'
import { withContext } from '../fediverse/jsonld-context.ts'
import { assertCanWatchVideo, findVideoAccessInfo } from '../videos/video-access.ts'
import {
  addPlaylistElement,
  addPlaylist,
  deletePlaylist,
  editPlaylistElement,
  editPlaylist,
  reorderPlaylistElements,
  removePlaylistElement,
  getVisiblePlaylist
} from './playlists.ts'
import { listPlaylistElements, listPlaylists, findPlaylistsContaining, loadPlaylist, PLAYLIST_PRIVACY_LABELS } from './playlists.query.ts'
import { findPlaylistRow, PLAYLIST_PRIVACY, type PlaylistRow } from './playlist.row.ts'
import { buildPlaylistElementObject, playlistElementsPage, buildPlaylistObject } from './playlist.outbox.ts'
import { COLLECTIONS } from '../actors/collection-internals.ts'

/** The routes of shared/playlists.ts. */
export const playlistsRoutes = implementContract(playlistsContract, {
  'GET /video-playlists/privacies': () => PLAYLIST_PRIVACY_LABELS,
  'GET /video-playlists': async ({ query, viewer }) => await listPlaylists({ ...query, ...paging(query) }, viewer),
  'POST /video-playlists': async ({ body, viewer, files }) => {
    const { id, uuid } = await addPlaylist(body, viewer, files.thumbnailfile)
    return { videoPlaylist: { id, uuid, shortUUID: shortUuid(uuid) } }
  },
  'GET /video-playlists/:playlistId': async ({ params, viewer }) => await loadPlaylist(await getVisiblePlaylist(params.playlistId, viewer)),
  'PUT /video-playlists/:playlistId': async ({ params, body, viewer, files }) =>
    await editPlaylist(params.playlistId, body, viewer, files.thumbnailfile),
  'DELETE /video-playlists/:playlistId': async ({ params, viewer }) => await deletePlaylist(params.playlistId, viewer),
  'GET /video-playlists/:playlistId/videos': async ({ params, query, viewer }) =>
    await listPlaylistElements(await getVisiblePlaylist(params.playlistId, viewer), paging(query), viewer),
  'POST /video-playlists/:playlistId/videos': async ({ params, body: { videoId, ...times }, viewer }) => {
    const video = await findVideoAccessInfo(videoId)
    await assertCanWatchVideo(video, videoId, { viewer })
    return { videoPlaylistElement: { id: await addPlaylistElement(params.playlistId, video, times, viewer) } }
  },
  'POST /video-playlists/:playlistId/videos/reorder': async ({ params, body, viewer }) =>
    await reorderPlaylistElements(
      params.playlistId,
      { start: body.startPosition, after: body.insertAfterPosition, length: body.reorderLength ?? 1 },
      viewer
    ),
  'PUT /video-playlists/:playlistId/videos/:elementId': async ({ params, body, viewer }) =>
    await editPlaylistElement(params.playlistId, params.elementId, body, viewer),
  'DELETE /video-playlists/:playlistId/videos/:elementId': async ({ params, viewer }) =>
    await removePlaylistElement(params.playlistId, params.elementId, viewer),
  'GET /users/me/video-playlists/videos-exist': async ({ query, viewer }) =>
    await findPlaylistsContaining(query.videoIds, viewer.accountId),
  'GET /accounts/:name/video-playlists': async ({ params, query, viewer }) =>
    await listPlaylists({ ...query, ...paging(query) }, viewer, { accountId: (await findAccount(params.name)).id }),
  'GET /video-channels/:channelHandle/video-playlists': async ({ params, query, viewer }) =>
    await listPlaylists({ ...query, ...paging(query) }, viewer, { channelId: (await findChannel(params.channelHandle)).id })
})

/** Serves local playlists and their elements as ActivityPub documents; redirects remote ones to their origin. */
export const playlistDocumentsRouter = Router()
playlistDocumentsRouter.get(
  ['/video-playlists/:id', '/videos/watch/playlist/:id', '/w/p/:id'],
  limitRate('activity_pub'),
  async (request, response, next) => {
    if (!config.federation.enabled || !acceptsActivityPub(request)) return next()
    const row = await findLocalPlaylist(request, response)
    if (row) sendActivityPubDocument(response, withContext('playlist', await buildPlaylistDocument(row, request)))
  }
)
playlistDocumentsRouter.get('/video-playlists/:id/videos/:elementId', limitRate('activity_pub'), async (request, response, next) => {
  if (!config.federation.enabled || !acceptsActivityPub(request)) return next()
  const row = await findLocalPlaylist(request, response)
  if (!row) return
  const element = await buildPlaylistElementObject(row, `${row.url}/videos/${String(request.params.elementId)}`)
  if (!element) throw notFound('Video playlist element')
  sendActivityPubDocument(response, withContext('playlist', element))
})

/** Returns the local playlist of the path; for a remote one redirects and returns null. Throws 404. */
async function findLocalPlaylist(request: Request, response: Response): Promise<PlaylistRow | null> {
  const uuid = longUuid(String(request.params.id))
  const row = uuid && (await findPlaylistRow(sql`playlist.uuid = ${uuid}`))
  if (!row || row.privacy === PLAYLIST_PRIVACY.PRIVATE) throw notFound('Playlist')
  if (!row.remote) return row
  response.redirect(302, row.url)
  return null
}

/** Builds the document of a playlist, which is its own collection: with `page` it contains the elements of that page. Throws 400. */
async function buildPlaylistDocument(row: PlaylistRow, request: Request): Promise<object> {
  const { first, ...object } = await buildPlaylistObject(row)
  const { page } = request.query
  if (page === undefined) return { ...object, ...(first ? { first } : {}) }
  const pageNumber = typeof page === 'string' && /^[1-9]\d{0,5}$/.test(page) ? Number(page) : null
  if (pageNumber === null) throw invalidParams([{ type: 'field', value: page, msg: 'Invalid value', path: 'page', location: 'query' }])
  const size = COLLECTIONS.pageSize
  const { total, items } = await playlistElementsPage(row)((pageNumber - 1) * size, size)
  return {
    ...object,
    id: `${row.url}?page=${pageNumber}`,
    ...(pageNumber > 1 ? { prev: `${row.url}?page=${pageNumber - 1}` } : {}),
    ...(pageNumber * size < total ? { next: `${row.url}?page=${pageNumber + 1}` } : {}),
    partOf: row.url,
    orderedItems: items
  }
}
