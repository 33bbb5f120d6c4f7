import type { Transaction } from 'sequelize'
import { runQuery, sql, type Sql } from './sql.ts'

/*
 * All advisory locks (PostgreSQL, "Explicit Locking", 13.3.5), in one list so that no two share a key. PostgreSQL has two key spaces: one
 * bigint, and two
 * integers of which the first is the class here. All are held until the transaction ends, also where the process dies.
 */

/** Locks that one transaction of the whole instance holds at a time. */
export const LOCKS = {
  /** Two processes may start at once; one of them migrates. */
  MIGRATE: 726_001,
  /** The administrator's account is made by one process. */
  CREATE_ROOT: 726_003,
  /** Space for uploads is given to one after the other. */
  RESERVE_UPLOAD: 726_006,
  /** Local names are given and retired one after the other. */
  ACTOR_NAMES: 726_005,
  /** One batch of views at a time is counted, so that two never wait for each other's rows. */
  COUNT_VIEWS: 726_007,
  /** One process at a time folds the counts of changes. */
  FOLD_CHANGES: 726_010,
  /** One worker at a time chooses received activities. */
  CHOOSE_INCOMING: 7_040_001,
  /** One worker at a time finds recipients, so that activities become deliveries in the order in which they were written. */
  FAN_OUT: 7_040_002
} as const

/** Classes of locks; the second key says for what. */
export const LOCK_CLASSES = {
  /** By video: its encoding belongs to one worker. */
  TRANSCODING: 726_002,
  /** By actor: one process reads an outbox. */
  CRAWL: 726_004,
  /** By host (`hashtext`): the reports of a server are counted one after the other. */
  REPORTS_OF_HOST: 726_008,
  /** By host (`hashtext`): which of its videos a server refuses is judged by one transaction at a time. */
  FORBIDDEN_OF_HOST: 726_009
} as const

/** Seeds of `hashtextextended`, by which texts of different kinds become different keys. */
export const LOCK_SEEDS = {
  /** By URL: a remote video is written by one transaction. */
  VIDEO_URL: 0,
  /** By URL: a remote comment is written by one transaction. */
  COMMENT_URL: 1,
  /** By origin and video: the viewers that a server reports are counted one after the other. */
  VIEWERS_OF_ORIGIN: 2,
  /** By name and host: a remote actor is written by one transaction. */
  REMOTE_ACTOR_NAME: 3
} as const

/** Waits for a lock and holds it until the transaction ends. */
export async function acquireLock(lock: keyof typeof LOCKS, tx: Transaction): Promise<void> {
  await runQuery(sql`SELECT pg_advisory_xact_lock(${LOCKS[lock]})`, tx)
}

/** The same for a lock of a class by a text. */
export async function acquireClassLock(lockClass: keyof typeof LOCK_CLASSES, text: string, tx: Transaction): Promise<void> {
  await runQuery(sql`SELECT pg_advisory_xact_lock(${LOCK_CLASSES[lockClass]}, hashtext(${text}))`, tx)
}

/** The same for locks by texts, in one order everywhere, so that two transactions never wait for each other. */
export async function acquireTextLocks(seed: keyof typeof LOCK_SEEDS, texts: string[], tx: Transaction): Promise<void> {
  await runQuery(
    sql`SELECT pg_advisory_xact_lock(hashtextextended(given.text, ${LOCK_SEEDS[seed]})) FROM unnest(${[...texts].sort()}::text[]) AS given (text)`,
    tx
  )
}

/** Takes the lock of a class by a number, if nobody holds it. */
export async function tryClassLock(lockClass: keyof typeof LOCK_CLASSES, key: number, tx: Transaction): Promise<boolean> {
  const [row] = await runQuery<{ acquired: boolean }>(
    sql`SELECT pg_try_advisory_xact_lock(${LOCK_CLASSES[lockClass]}, ${key}) AS acquired`,
    tx
  )
  return row!.acquired
}

/** The condition that some process holds the lock of a class by a number. */
export function isClassLockHeld(lockClass: keyof typeof LOCK_CLASSES, key: Sql): Sql {
  return sql`EXISTS (SELECT 1 FROM pg_locks held WHERE held.locktype = 'advisory' AND held.classid = ${LOCK_CLASSES[lockClass]} AND held.objid = ${key}
    AND held.database = (SELECT oid FROM pg_database WHERE datname = current_database()))`
}
