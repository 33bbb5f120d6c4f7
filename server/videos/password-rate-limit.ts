import { config } from '../core/config.ts'
import { logger } from '../core/logger.ts'
import { redis } from '../core/redis.ts'

const key = (videoId: number, ip: string | undefined): string => `${config.redis.prefix}:guesses:${videoId}:${ip ?? ''}`

/** Whether this address may still guess this video's password (`rates_limit.video_password`); without Redis it may. */
export async function isPasswordAttemptAllowed(videoId: number, ip: string | undefined): Promise<boolean> {
  try {
    return Number((await redis.get(key(videoId, ip))) ?? 0) < config.rates_limit.video_password.max
  } catch (error) {
    logger.warn('Wrong passwords cannot be counted', { error })
    return true
  }
}

/** Counts a wrong password. */
export async function countFailedPasswordAttempt(videoId: number, ip: string | undefined): Promise<void> {
  try {
    const name = key(videoId, ip)
    if ((await redis.incr(name)) === 1) await redis.pexpire(name, config.rates_limit.video_password.window)
  } catch (error) {
    logger.warn('Wrong passwords cannot be counted', { error })
  }
}
