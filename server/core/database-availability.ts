import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { config } from './config.ts'
import { defineInternals } from './internals.ts'
import { logger } from './logger.ts'

const AVAILABILITY = defineInternals('database', {
  /** A statement or connection that is waited for longer makes this process check whether the database answers at all (ms). */
  suspectAfter: 1000,
  /** How long a check waits for its answer (ms). */
  checkTimeout: 2000,
  /** How often it is checked whether the database answers again (ms). */
  checkInterval: 500
})

/** Why a statement of a request fails while the database is away. */
export class DatabaseUnavailableError extends Error {
  constructor() {
    super('The database does not answer')
  }
}

/** Why a request fails for which no connection became free in time. */
export class DatabaseBusyError extends Error {
  constructor() {
    super('All connections to the database are in use')
  }
}

let unavailableSince: number | null = null
let isStopped = true
const waiting = new Set<() => void>()

/** Whether the database answered when it was last checked. */
export function isDatabaseAvailable(): boolean {
  return unavailableSince === null
}

/**
 * Says that an answer of the database is waited for, until the returned function is called. `giveUp` is called when the database turns out to
 * be away meanwhile.
 */
export function awaitDatabaseAnswer(giveUp?: () => void): () => void {
  const suspicion = setTimeout(checkDatabase, AVAILABILITY.suspectAfter)
  if (giveUp) waiting.add(giveUp)
  return () => {
    clearTimeout(suspicion)
    if (giveUp) waiting.delete(giveUp)
  }
}

let isChecking = false

/** Checks whether the database answers; if not, requests fail at once until it does again. */
export function checkDatabase(): void {
  if (isChecking || isStopped) return
  isChecking = true
  void watchUntilAvailable().finally(() => {
    isChecking = false
  })
}

async function watchUntilAvailable(): Promise<void> {
  // A busy machine may miss one answer.
  if ((await databaseAnswers()) || (await databaseAnswers())) return
  unavailableSince = performance.now()
  logger.error('The database does not answer: requests are answered 503 until it does')
  for (const giveUp of [...waiting]) giveUp()
  waiting.clear()
  while (!isStopped && !(await databaseAnswers())) await sleep(AVAILABILITY.checkInterval, undefined, { ref: false })
  if (isStopped) return
  logger.info('The database answers again', { after: Math.round(performance.now() - unavailableSince) })
  unavailableSince = null
}

/** Whether a new session begins: its process is started and answers. */
async function databaseAnswers(): Promise<boolean> {
  const { hostname, port, name, username, password, ssl } = config.database
  const client = new pg.Client({
    host: hostname,
    port,
    database: name,
    user: username,
    password,
    ssl: ssl || undefined,
    application_name: 'bobine check',
    connectionTimeoutMillis: AVAILABILITY.checkTimeout
  })
  client.on('error', () => undefined)
  try {
    await client.connect()
    return true
  } catch (error) {
    return (error as { code?: string }).code === TOO_MANY_CONNECTIONS
  } finally {
    // A frozen server would not answer the end of the session.
    client.connection.stream.destroy()
  }
}

/** It answers, but has no connection to spare (PostgreSQL, "Error Codes"). */
const TOO_MANY_CONNECTIONS = '53300'

/** Begins and ends the life of the checks of this process. */
export function setDatabaseChecks(enabled: boolean): void {
  isStopped = !enabled
  if (enabled) unavailableSince = null
}
