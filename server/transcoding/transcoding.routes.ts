import { transcodingContract } from '../../shared/transcoding.ts'
import { config } from '../core/config.ts'
import { transaction } from '../core/transaction.ts'
import { paging } from '../core/paging.ts'
import { Problem } from '../core/problem.ts'
import { implementContract } from '../core/route.ts'
import { findManagedVideo, findVideoAccessInfo } from '../videos/video-access.ts'
import { VideoSourceModel } from '../videos/video-file.model.ts'
import { listWorkerEncoders } from './encoder-registry.ts'
import { listEncodings } from './encodings.query.ts'
import { readEncodingProgress } from './encoding-progress.ts'
import { setTranscodingPriority, queueTranscoding } from './queue-transcoding.ts'
import { offerWebVideos, removeRenditions } from './remove-renditions.ts'
import { stopTranscoding } from './finish-incomplete.ts'
import { TranscodingModel } from './transcoding.model.ts'

/** The routes of shared/transcoding.ts. */
export const transcodingRoutes = implementContract(transcodingContract, {
  'GET /videos/:id/transcoding': async ({ params, viewer }) => await readEncodingProgress((await findManagedVideo(params.id, viewer)).id),
  'GET /server/transcodings': async ({ query: { state, ...rest } }) => await listEncodings({ ...paging(rest), state }),
  'GET /server/encoders': async () => {
    const data = await listWorkerEncoders()
    return { total: data.length, data }
  },
  'PUT /server/transcodings/:id': async ({ params, body, viewer }) =>
    await setTranscodingPriority((await findManagedVideo(params.id, viewer)).id, body.priority),
  'DELETE /server/transcodings/:id': async ({ params, viewer }) => await stopTranscoding(await findManagedVideo(params.id, viewer)),
  'DELETE /videos/:id/hls': async ({ params, viewer }) => await removeRenditions(await findManagedVideo(params.id, viewer), 'hls'),
  'DELETE /videos/:id/hls/:fileId': async ({ params, viewer }) =>
    await removeRenditions(await findManagedVideo(params.id, viewer), 'hls', params.fileId),
  'DELETE /videos/:id/web-videos': async ({ params, viewer }) =>
    await removeRenditions(await findManagedVideo(params.id, viewer), 'webVideo'),
  'DELETE /videos/:id/web-videos/:fileId': async ({ params, viewer }) =>
    await removeRenditions(await findManagedVideo(params.id, viewer), 'webVideo', params.fileId),
  'POST /videos/:id/transcoding': async ({ params, body }) => {
    const video = await findVideoAccessInfo(params.id)
    if (video.remote) throw new Problem(400, null, 'A video of another server is not transcoded here.')
    // Web videos are assembled from the HLS renditions.
    if (body.transcodingType === 'web-video' && !config.transcoding.web_videos.enabled)
      throw new Problem(400, null, 'Web videos are not enabled on this instance.')
    await transaction(async tx => {
      const existing = await TranscodingModel.findByPk(video.id, { transaction: tx, lock: true })
      if (existing && ['waiting', 'running'].includes(existing.state) && !body.forceTranscoding)
        throw new Problem(409, 'video_already_being_transcoded', 'This video is already being transcoded')
      const source = await VideoSourceModel.findByPk(video.id, { transaction: tx })
      if (!source?.filename) throw new Problem(400, null, 'The uploaded file was not kept, so there is nothing to transcode from.')
      await queueTranscoding(video.id, tx)
      if (body.transcodingType === 'web-video') await offerWebVideos(video.id, tx)
    })
  }
})
