import { randomUUID } from 'node:crypto'
import { SOFTWARE_ENCODER, type H264Encoder } from '../../shared/encoders.ts'
import { config } from '../core/config.ts'
import { withinShutdownTimeout } from '../core/job.ts'
import { logger } from '../core/logger.ts'
import { redis } from '../core/redis.ts'
import { chooseEncoder, findWorkingEncoders, hasEncoderDevice, tryEncoder } from '../media/hardware-encoders.ts'
import { warmUpFfmpeg } from '../media/ffmpeg.ts'

const me = randomUUID()
const key = (): string => `${config.redis.prefix}:encoders`
let working: Promise<H264Encoder[]> | null = null

/** The encoder that this process uses now, by `transcoding.encoder` and by what works on its machine. */
export async function getCurrentEncoder(): Promise<H264Encoder> {
  const wanted = config.transcoding.encoder
  return wanted === SOFTWARE_ENCODER ? SOFTWARE_ENCODER : chooseEncoder(wanted, await encodersHere())
}

/** An encoder failed in the middle of a film: it is tried once more, and not used again by this process where that fails too. */
export async function recheckEncoder(encoder: H264Encoder): Promise<void> {
  if (await tryEncoder(encoder, config.transcoding.encoder_timeout)) return
  logger.error('An encoder does not work any more; software is used until the next start', { encoder })
  working = Promise.resolve((await encodersHere()).filter(one => one !== encoder))
  void redis.zrem(key(), member(encoder)).catch(() => undefined)
}

/** Finds out what works on this machine, and says so to the administrators' pages for as long as the process lives. */
export function startEncoderRegistry(): { stop(): Promise<void> } {
  const telling = setInterval(() => void tell(), config.transcoding.encoders_interval)
  const told = Promise.all([tell(), warmUpFfmpeg()])
  return {
    stop: async () => {
      clearInterval(telling)
      // Without Redis nobody would hear it.
      await withinShutdownTimeout(told.then(async () => await redis.zrem(key(), ...(await encodersHere()).map(member))))
    }
  }
}

/** The encoders of all workers that live, with how many have each. */
export async function listWorkerEncoders(): Promise<{ name: string; workers: number }[]> {
  const members = await redis.zrange(key(), Date.now() - 3 * config.transcoding.encoders_interval, '+inf', 'BYSCORE')
  const names = members.map(one => one.split(' ')[0]!)
  return [...new Set(names)].map(name => ({ name, workers: names.filter(one => one === name).length }))
}

function encodersHere(): Promise<H264Encoder[]> {
  const { encoder_devices, encoder_timeout } = config.transcoding
  working ??= findWorkingEncoders(async encoder => hasEncoderDevice(encoder_devices) && (await tryEncoder(encoder, encoder_timeout))).then(
    found => {
      logger.info('Encoders that work here', { found })
      return found
    }
  )
  return working
}

/** Losing it costs nothing but a line on a page. */
async function tell(): Promise<void> {
  const now = Date.now()
  const mine = (await encodersHere()).flatMap(encoder => [now, member(encoder)])
  await redis
    .multi()
    .zremrangebyscore(key(), '-inf', now - 3 * config.transcoding.encoders_interval)
    .zadd(key(), ...mine)
    .exec()
    .catch(() => undefined)
}

function member(encoder: H264Encoder): string {
  return `${encoder} ${me}`
}
