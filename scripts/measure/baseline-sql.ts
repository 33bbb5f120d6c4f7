import { Pool } from 'pg'
import { VideoQuery } from '../../shared/videos.ts'
import { config, loadConfig } from '../../server/core/config.ts'
import { connectDatabase, disconnectDatabase, sequelize } from '../../server/core/database.ts'
import { listVideos } from '../../server/videos/videos.query.ts'

/** A process that runs the queries of one `GET /videos?count=25`, 16 at a time: the upper limit of the database. */
loadConfig()
await connectDatabase()
const statements: { text: string; values: unknown[] }[] = []
const originalQuery = sequelize.query.bind(sequelize) as (...parameters: unknown[]) => Promise<unknown>
Object.assign(sequelize, {
  query: (text: string, options: { bind: unknown[] }) => {
    statements.push({ text, values: options.bind })
    return originalQuery(text, options)
  }
})
await listVideos(VideoQuery.parse({ count: '25' }), null)
await disconnectDatabase()

const {
  hostname,
  port,
  name,
  username,
  pool: { max }
} = config.database
const pool = new Pool({ host: hostname, port, database: name, user: username, max })
process.on('message', async (seconds: number) => {
  const deadline = performance.now() + seconds * 1000
  let completed = 0
  await Promise.all(
    Array.from({ length: 16 }, async () => {
      for (; performance.now() < deadline; completed++) for (const statement of statements) await pool.query(statement)
    })
  )
  process.send!({ perSecond: completed / seconds })
})
process.on('disconnect', () => process.exit())
process.send!({ ready: statements.length })
