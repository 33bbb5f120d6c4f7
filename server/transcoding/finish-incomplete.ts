import { Problem } from '../core/problem.ts'
import { transaction } from '../core/transaction.ts'
import { STATE, Video } from '../videos/video.model.ts'
import { dropSplit } from './chunks.query.ts'
import { publish } from './publish-video.ts'
import { keepFinished } from './renditions.ts'
import { tryLock } from './scheduler.ts'
import { Transcoding } from './transcoding.model.ts'

type Encoded = Pick<Video, 'id' | 'uuid'>

/**
 * After an encoding that was given up: what is finished stays and is published; without any the video has failed. Nothing where it was
 * asked for again meanwhile.
 */
export async function settle(video: Encoded): Promise<void> {
  if ((await Transcoding.findByPk(video.id))?.state !== 'failed') return
  await dropSplit(video)
  if (await keepFinished({ videoId: video.id, uuid: video.uuid })) await publish(video)
  else await Video.update({ state: STATE.TRANSCODING_FAILED }, { where: { id: video.id } })
}

/**
 * Ends the encoding of a video, running or waiting; the worker that has it notices within `transcoding.progress_interval`. Throws 400 where
 * nothing is to be ended.
 */
export async function stopEncoding(video: Encoded): Promise<void> {
  const [count] = await Transcoding.update(
    { state: 'failed', error: 'An administrator stopped the encoding.' },
    { where: { videoId: video.id, state: ['waiting', 'running'] } }
  )
  if (count === 0) throw new Problem(400, null, 'This video is not being encoded.')
  await transaction(async lock => {
    if (await tryLock(video.id, lock)) await settle(video)
  })
}
