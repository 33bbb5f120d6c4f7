import { randomUUID } from 'node:crypto'
import { SOFTWARE_ENCODER, type H264Encoder } from '../../shared/encoders.ts'
import { config } from '../core/config.ts'
import { withinShutdownTimeout } from '../core/job.ts'
import { logger } from '../core/logger.ts'
import { redis } from '../core/redis.ts'
import { chooseEncoder, findWorkingEncoders, hasEncoderDevice, tryEncoder } from '../media/hardware-encoders.ts'
import { warmUpFfmpeg } from '../media/ffmpeg.ts'

const workerId = randomUUID()
const redisKey = (): string => `${config.redis.prefix}:encoders`
let workingEncoders: Promise<H264Encoder[]> | null = null

/** The encoder that this process uses now, by `transcoding.encoder` and by what works on this machine. */
export async function getCurrentEncoder(): Promise<H264Encoder> {
  const configured = config.transcoding.encoder
  return configured === SOFTWARE_ENCODER ? SOFTWARE_ENCODER : chooseEncoder(configured, await localEncoders())
}

/** Tests an encoder that failed during an encoding; if the test fails too, this process does not use it any more. */
export async function recheckEncoder(encoder: H264Encoder): Promise<void> {
  if (await tryEncoder(encoder, config.transcoding.encoder_timeout)) return
  logger.error('An encoder does not work any more; software is used until the next start', { encoder })
  workingEncoders = Promise.resolve((await localEncoders()).filter(candidate => candidate !== encoder))
  void redis.zrem(redisKey(), memberName(encoder)).catch(() => undefined)
}

/** Detects the working encoders of this machine, and announces them in Redis for the administrators' pages until `stop`. */
export function startEncoderRegistry(): { stop(): Promise<void> } {
  const timer = setInterval(() => void announceEncoders(), config.transcoding.encoders_interval)
  const started = Promise.all([announceEncoders(), warmUpFfmpeg()])
  return {
    stop: async () => {
      clearInterval(timer)
      // May fail without Redis: the entries expire.
      await withinShutdownTimeout(started.then(async () => await redis.zrem(redisKey(), ...(await localEncoders()).map(memberName))))
    }
  }
}

/** The encoders of all running workers, with the number of workers that have each. */
export async function listWorkerEncoders(): Promise<{ name: string; workers: number }[]> {
  const members = await redis.zrange(redisKey(), Date.now() - 3 * config.transcoding.encoders_interval, '+inf', 'BYSCORE')
  const names = members.map(entry => entry.split(' ')[0]!)
  return [...new Set(names)].map(name => ({ name, workers: names.filter(entry => entry === name).length }))
}

function localEncoders(): Promise<H264Encoder[]> {
  const { encoder_devices, encoder_timeout } = config.transcoding
  workingEncoders ??= findWorkingEncoders(
    async encoder => hasEncoderDevice(encoder_devices) && (await tryEncoder(encoder, encoder_timeout))
  ).then(working => {
    logger.info('Encoders that work here', { found: working })
    return working
  })
  return workingEncoders
}

/** Announces the encoders; a failure only affects the administration page. */
async function announceEncoders(): Promise<void> {
  const now = Date.now()
  const scoredMembers = (await localEncoders()).flatMap(encoder => [now, memberName(encoder)])
  await redis
    .multi()
    .zremrangebyscore(redisKey(), '-inf', now - 3 * config.transcoding.encoders_interval)
    .zadd(redisKey(), ...scoredMembers)
    .exec()
    .catch(() => undefined)
}

function memberName(encoder: H264Encoder): string {
  return `${encoder} ${workerId}`
}
