import pg from 'pg'
import { Sequelize, type Model, type ModelAttributes, type ModelStatic, type InitOptions } from 'sequelize'
import { config } from './config.ts'
import { logger } from './logger.ts'

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

/** A client whose connection may be ended by the server at any time: the next query rejects, and the process does not crash. */
export class DatabaseClient extends pg.Client {
  constructor(settings: pg.ClientConfig) {
    super(settings)
    this.on('error', error => logger.debug('A connection to the database ended', { reason: error.message }))
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
  for (const { model, attributes, options } of declarations) model.init(attributes as never, { ...options, sequelize })
  associations.forEach(associate => associate())
  await sequelize.authenticate()
}

/** Closes the pool. */
export async function disconnectDatabase(): Promise<void> {
  await sequelize?.close()
}
