import pg from 'pg'
import { Sequelize, type Model, type ModelAttributes, type ModelStatic, type InitOptions } from 'sequelize'
import { config } from './config.ts'
import {
  awaitDatabaseAnswer,
  checkDatabase,
  DatabaseBusyError,
  DatabaseUnavailableError,
  isDatabaseAvailable,
  setDatabaseChecks
} from './database-availability.ts'
import { isDatabaseUnavailable } from './database-errors.ts'
import { logger } from './logger.ts'
import { isRequestWork } from './request-context.ts'
import { reportIfSlow } from './slow-statements.ts'

const clients = new Set<pg.Client>()
let isAbandoned = false

/** The connection pool of this process; set by `connectDatabase`. */
export let sequelize: Sequelize

type ModelDeclaration = { model: ModelStatic<Model>; attributes: ModelAttributes; options: Omit<InitOptions, 'sequelize'> }
const declarations: ModelDeclaration[] = []
const associations: (() => void)[] = []

/** Declares a model next to its class; it becomes usable once `connectDatabase` has run. */
export function declareModel(
  model: ModelStatic<any>,
  attributes: ModelAttributes<any, any>,
  options: Omit<InitOptions, 'sequelize'>
): void {
  declarations.push({ model, attributes, options })
}

/** Declares associations; the higher model declares both ends. */
export function declareAssociations(associate: () => void): void {
  associations.push(associate)
}

/**
 * A client whose connection may be ended by the server at any time: the next query rejects, and the process does not crash. Statements of
 * requests and of jobs have their own time limits (`database.statement_timeout`), and those of requests fail while the database is away.
 */
export class DatabaseClient extends pg.Client {
  /** The limit in effect in the session, in ms; undefined where it is not known. */
  private statementTimeout: number | undefined

  constructor(settings: pg.ClientConfig) {
    super(settings)
    clients.add(this)
    this.once('end', () => clients.delete(this))
    this.on('error', error => {
      logger.debug('A connection to the database ended', { reason: error.message })
      checkDatabase()
    })
  }

  override query(...given: any[]): any {
    const send = super.query.bind(this) as (...all: unknown[]) => unknown
    const callback = given.at(-1) as unknown
    // Sequelize gives no callback only for the statements that set up a connection.
    if (typeof callback !== 'function') return send(...given)
    const isRequest = isRequestWork()
    const statement = given[0] as string
    const timeout = isRequest ? config.database.statement_timeout.requests : config.database.statement_timeout.jobs
    // The connection may be within a transaction, so that it must not be used again.
    const giveUp = () => this.connection.stream.destroy()
    if (isRequest && !isDatabaseAvailable()) {
      giveUp()
      process.nextTick(() => callback(new DatabaseUnavailableError()))
      return
    }
    const endWaiting = awaitDatabaseAnswer(isRequest ? giveUp : undefined)
    const startedAt = performance.now()
    const finish = (error: Error | null, result?: unknown) => {
      endWaiting()
      // Any statement takes long when the database goes away.
      if (!isDatabaseUnavailable(error)) reportIfSlow(statement, performance.now() - startedAt, isRequest)
      // Undoes a limit that was set within the transaction.
      if (statement.startsWith('ROLLBACK')) this.statementTimeout = undefined
      callback(error, result)
    }
    const run = () => send(...given.slice(0, -1), finish)
    if (timeout === this.statementTimeout) return run()
    send(`SET statement_timeout = ${Math.round(timeout)}`, (error: Error | null) => {
      this.statementTimeout = error ? undefined : timeout
      run()
    })
  }
}

/** Opens the pool and binds every declared model to it. */
export async function connectDatabase(): Promise<void> {
  const { hostname, port, name, username, password, ssl, pool, connect_timeout } = config.database
  sequelize = new Sequelize(name, username, password, {
    dialect: 'postgres',
    dialectModule: Object.create(pg, { Client: { value: DatabaseClient } }),
    host: hostname,
    port,
    pool: { max: pool.max, min: 0, idle: 30_000 },
    dialectOptions: { ssl: ssl || undefined, connectionTimeoutMillis: connect_timeout, application_name: 'bobine' },
    define: { underscored: true },
    logging: config.log.level === 'debug' ? text => logger.debug(text) : false
  })
  limitConnectionWaits(sequelize)
  isAbandoned = false
  setDatabaseChecks(true)
  for (const { model, attributes, options } of declarations) model.init(attributes as never, { ...options, sequelize })
  associations.forEach(associate => associate())
  await sequelize.authenticate()
}

type ConnectionManager = { getConnection(options: object): Promise<object>; releaseConnection(connection: object): void }

/** Makes requests wait for a connection no longer than for a statement, and not at all while the database is away. */
function limitConnectionWaits(of: Sequelize): void {
  const manager = (of as unknown as { connectionManager: ConnectionManager }).connectionManager
  const getConnection = manager.getConnection.bind(manager)
  manager.getConnection = async options => {
    if (isAbandoned) throw new DatabaseUnavailableError()
    if (!isRequestWork()) return await getConnection(options)
    if (!isDatabaseAvailable()) throw new DatabaseUnavailableError()
    return await new Promise((resolve, reject) => {
      let isSettled = false
      const giveUp = () => settle(() => reject(new DatabaseUnavailableError()))
      const timer = setTimeout(() => settle(() => reject(new DatabaseBusyError())), config.database.statement_timeout.requests || MAX_TIMER)
      const endWaiting = awaitDatabaseAnswer(giveUp)
      const settle = (act: () => void) => {
        if (isSettled) return
        isSettled = true
        clearTimeout(timer)
        endWaiting()
        act()
      }
      getConnection(options).then(
        connection => (isSettled ? manager.releaseConnection(connection) : settle(() => resolve(connection))),
        error => settle(() => reject(error))
      )
    })
  }
}

/** The longest delay of a timer, in ms. */
const MAX_TIMER = 2 ** 31 - 1

/**
 * Runs the end of this process, which waits for its work: where the database is away meanwhile, everything that waits for it fails, also what
 * has no time limit.
 */
export async function abandonDatabaseIfAway<T>(end: () => Promise<T>): Promise<T> {
  const timer = setInterval(() => {
    if (!isDatabaseAvailable()) abandonDatabase()
  }, ABANDON_INTERVAL)
  try {
    return await end()
  } finally {
    clearInterval(timer)
  }
}

const ABANDON_INTERVAL = 200

function abandonDatabase(): void {
  isAbandoned = true
  for (const client of clients) client.connection.stream.destroy()
}

/** Closes the pool; a database that does not answer is not waited for longer than `http.shutdown_timeout`. */
export async function disconnectDatabase(): Promise<void> {
  setDatabaseChecks(false)
  if (!sequelize) return
  const timer = setTimeout(abandonDatabase, config.http.shutdown_timeout)
  await sequelize.close()
  clearTimeout(timer)
}
