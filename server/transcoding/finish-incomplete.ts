import { Problem } from '../core/problem.ts'
import { transaction } from '../core/transaction.ts'
import { VIDEO_STATE, VideoModel } from '../videos/video.model.ts'
import { deleteEncodingSplit } from './chunks.query.ts'
import { publishVideo } from './publish-video.ts'
import { keepFinishedRenditions } from './renditions.ts'
import { tryLockTranscoding } from './scheduler.ts'
import { TranscodingModel } from './transcoding.model.ts'

type EncodedVideo = Pick<VideoModel, 'id' | 'uuid'>

/**
 * Finishes a failed or stopped encoding: finished renditions are kept and published; without any the state of the video is failed. Does
 * nothing if it was queued again meanwhile.
 */
export async function finishIncompleteTranscoding(video: EncodedVideo): Promise<void> {
  if ((await TranscodingModel.findByPk(video.id))?.state !== 'failed') return
  await deleteEncodingSplit(video)
  if (await keepFinishedRenditions({ videoId: video.id, uuid: video.uuid })) await publishVideo(video)
  else await VideoModel.update({ state: VIDEO_STATE.TRANSCODING_FAILED }, { where: { id: video.id } })
}

/**
 * Stops the encoding of a video, running or waiting; the worker that runs it notices within `transcoding.progress_interval`. Throws 400 if
 * there is none.
 */
export async function stopTranscoding(video: EncodedVideo): Promise<void> {
  const [count] = await TranscodingModel.update(
    { state: 'failed', error: 'An administrator stopped the encoding.' },
    { where: { videoId: video.id, state: ['waiting', 'running'] } }
  )
  if (count === 0) throw new Problem(400, null, 'This video is not being encoded.')
  await transaction(async tx => {
    if (await tryLockTranscoding(video.id, tx)) await finishIncompleteTranscoding(video)
  })
}
