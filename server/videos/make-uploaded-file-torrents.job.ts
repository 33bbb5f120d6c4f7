import { z } from 'zod'
import { defineJob } from '../core/job.ts'
import { TORRENTS } from './torrent-internals.ts'
import { makeNextUploadedFileTorrent } from './uploaded-file-torrents.ts'

/** Makes the torrents of uploaded files. It is enqueued with each upload, as whoever uploads may wait for it. */
export const makeUploadedFileTorrents = defineJob({
  name: 'make-uploaded-file-torrents',
  queue: 'maintenance',
  payload: z.object({}),
  every: () => TORRENTS.interval,
  run: async (_, { signal }) => {
    while (!signal.aborted && (await makeNextUploadedFileTorrent(signal)));
  }
})
