import { z } from 'zod'
import { defineJob } from '../core/job.ts'
import { runQuery, sql } from '../core/sql.ts'
import { TORRENTS } from './torrent-internals.ts'
import { makeMissingTorrents } from './torrents.ts'

/**
 * Makes the torrents of videos that are not being encoded and lack some: those of before there were torrents, of replaced renditions and
 * of interrupted runs. Owes other servers one Update of each of them.
 */
export const makeTorrentsJob = defineJob({
  name: 'make-torrents',
  queue: 'maintenance',
  payload: z.object({}),
  every: () => TORRENTS.interval,
  run: async (_, { signal }) => {
    const startedAt = performance.now()
    // Also within a video: a long film takes minutes, and no other job of the queue runs meanwhile.
    const isTimeUp = () => performance.now() - startedAt >= TORRENTS.runTime
    while (!signal.aborted && !isTimeUp()) {
      const [due] = await runQuery<{ video_id: number }>(sql`
        SELECT p.video_id FROM video_files f JOIN streaming_playlists p ON p.id = f.streaming_playlist_id
        WHERE f.torrents_due_at <= now() AND NOT f.growing
          AND NOT EXISTS (SELECT FROM transcodings t WHERE t.video_id = p.video_id AND t.state IN ('waiting', 'running'))
        ORDER BY f.torrents_due_at, f.id LIMIT 1`)
      if (!due) return
      await makeMissingTorrents(due.video_id, { owesUpdate: true, signal, isTimeUp })
    }
  }
})
