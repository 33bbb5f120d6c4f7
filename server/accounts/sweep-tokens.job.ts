import { z } from 'zod'
import { config } from '../core/config.ts'
import { defineJob } from '../core/job.ts'
import { runQuery, sql } from '../core/sql.ts'

/** Removes sessions that can no longer be refreshed, every `oauth2.sweep_interval`. */
export const sweepTokens = defineJob({
  name: 'sweep-tokens',
  queue: 'maintenance',
  payload: z.object({}),
  every: () => config.oauth2.sweep_interval,
  run: async () => {
    await runQuery(sql`DELETE FROM oauth_tokens WHERE refresh_token_expires_at < now() AND access_token_expires_at < now()`)
  }
})
