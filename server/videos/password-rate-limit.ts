import type { Options } from 'express-rate-limit'
import { config } from '../core/config.ts'
import { RedisOrMemoryStore } from '../core/rate-limit-store.ts'

let store: RedisOrMemoryStore | undefined
function openStore(): RedisOrMemoryStore {
  if (!store) {
    store = new RedisOrMemoryStore('video_password')
    store.init({ windowMs: config.rates_limit.video_password.window } as Options)
  }
  return store
}

const attemptsKey = (videoId: number, ip: string | undefined): string => `${videoId}:${ip ?? ''}`

/** Whether an IP address may try another password for a video (`rates_limit.video_password`). */
export async function isPasswordAttemptAllowed(videoId: number, ip: string | undefined): Promise<boolean> {
  const attempts = await openStore().get(attemptsKey(videoId, ip))
  return (attempts?.totalHits ?? 0) < config.rates_limit.video_password.max
}

/** Counts a wrong password for the rate limit. */
export async function countFailedPasswordAttempt(videoId: number, ip: string | undefined): Promise<void> {
  await openStore().increment(attemptsKey(videoId, ip))
}
