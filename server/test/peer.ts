import { fork, type ChildProcess } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { projectFolder } from '../core/config.ts'
import { callOf, database, deepMerge, freePort, instanceConfig, type Instance } from './instance.ts'

/** A second instance in a process of its own, with its own database, Redis prefix, storage and port. */
export type Peer = Pick<Instance, 'call' | 'login' | 'url' | 'rootPassword' | 'folder'> & {
  host: string
  /** The name of its database in the test cluster. */
  database: string
  /** Ends it at once, as a lost machine would; `start` brings it back. */
  kill(): Promise<void>
  /** Starts it again on the same data. */
  start(): Promise<void>
  stop(): Promise<void>
}

type Ready = { type: string, message?: string, login?: { username: string, password: string } }
const PASSWORD = 'password1'

/** Starts a second instance; `overrides` as for startInstance. */
export async function startPeer(overrides: { [key: string]: unknown } = {}): Promise<Peer> {
  const name = `test_${randomBytes(6).toString('hex')}`
  const folder = await mkdtemp(join(tmpdir(), 'bobine-peer-'))
  await database(async client => await client.query(`CREATE DATABASE ${name} TEMPLATE template0 ENCODING 'UTF8'`))
  const port = await freePort()
  const configuration = JSON.stringify(deepMerge(instanceConfig(name, folder, port), overrides))
  const url = `http://127.0.0.1:${port}`
  let child: ChildProcess | null = null
  const start = async () => {
    child = fork(join(projectFolder, 'server/main.ts'), [], {
      cwd: projectFolder, execArgv: ['--import', 'tsx'], stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      env: { ...process.env, BOBINE_CONFIG: configuration, BOBINE_ROOT_PASSWORD: PASSWORD }
    })
    const [message] = await once(child, 'message') as [Ready]
    if (message.type !== 'ready') throw new Error(message.message)
  }
  const end = async (signal: NodeJS.Signals) => {
    if (!child || child.exitCode !== null || child.signalCode !== null) return
    const closed = once(child, 'close')
    child.kill(signal)
    await closed
  }
  await start()
  const client = await callOf(url)
  return {
    url, folder, host: `127.0.0.1:${port}`, database: name, rootPassword: PASSWORD, call: client.call,
    login: async (username = 'root', password = PASSWORD) => await client.login(username, password),
    kill: async () => await end('SIGKILL'),
    start,
    stop: async () => {
      await end('SIGTERM')
      await database(async client => await client.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`))
      await rm(folder, { recursive: true, force: true })
    }
  }
}
