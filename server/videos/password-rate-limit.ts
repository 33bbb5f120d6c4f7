import { config } from '../core/config.ts'
import { logger } from '../core/logger.ts'
import { redis } from '../core/redis.ts'

const attemptsKey = (videoId: number, ip: string | undefined): string => `${config.redis.prefix}:guesses:${videoId}:${ip ?? ''}`

/** Whether an IP address may try another password for a video (`rates_limit.video_password`); true while Redis is unavailable. */
export async function isPasswordAttemptAllowed(videoId: number, ip: string | undefined): Promise<boolean> {
  try {
    return Number((await redis.get(attemptsKey(videoId, ip))) ?? 0) < config.rates_limit.video_password.max
  } catch (error) {
    logger.warn('Wrong passwords cannot be counted', { error })
    return true
  }
}

/** Counts a wrong password for the rate limit; does nothing while Redis is unavailable. */
export async function countFailedPasswordAttempt(videoId: number, ip: string | undefined): Promise<void> {
  try {
    const key = attemptsKey(videoId, ip)
    if ((await redis.incr(key)) === 1) await redis.pexpire(key, config.rates_limit.video_password.window)
  } catch (error) {
    logger.warn('Wrong passwords cannot be counted', { error })
  }
}
