import { Problem } from '../core/problem.ts'
import { transaction } from '../core/transaction.ts'
import { VIDEO_STATE, VideoModel } from '../videos/video.model.ts'
import { deleteEncodingSplit } from './chunks.query.ts'
import { publishVideo } from './publish-video.ts'
import { keepFinishedRenditions } from './renditions.ts'
import { tryLockTranscoding } from './scheduler.ts'
import { TranscodingModel } from './transcoding.model.ts'

type Encoded = Pick<VideoModel, 'id' | 'uuid'>

/**
 * After an encoding that was given up: what is finished stays and is published; without any the video has failed. Nothing where it was
 * asked for again meanwhile.
 */
export async function finishIncompleteTranscoding(video: Encoded): Promise<void> {
  if ((await TranscodingModel.findByPk(video.id))?.state !== 'failed') return
  await deleteEncodingSplit(video)
  if (await keepFinishedRenditions({ videoId: video.id, uuid: video.uuid })) await publishVideo(video)
  else await VideoModel.update({ state: VIDEO_STATE.TRANSCODING_FAILED }, { where: { id: video.id } })
}

/**
 * Ends the encoding of a video, running or waiting; the worker that has it notices within `transcoding.progress_interval`. Throws 400 where
 * nothing is to be ended.
 */
export async function stopTranscoding(video: Encoded): Promise<void> {
  const [count] = await TranscodingModel.update(
    { state: 'failed', error: 'An administrator stopped the encoding.' },
    { where: { videoId: video.id, state: ['waiting', 'running'] } }
  )
  if (count === 0) throw new Problem(400, null, 'This video is not being encoded.')
  await transaction(async lock => {
    if (await tryLockTranscoding(video.id, lock)) await finishIncompleteTranscoding(video)
  })
}
