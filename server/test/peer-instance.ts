import { fork, type ChildProcess } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { findFreePort } from '../../scripts/launch/free-port.ts'
import { projectFolder } from '../core/config.ts'
import { ensureBuilt } from './ensure-built.ts'
import {
  createTestClient,
  createTestDatabase,
  withTestDatabase,
  deepMerge,
  testInstanceConfig,
  type TestInstance,
  type TestOverrides
} from './instance.ts'
import { openTcpProxy, type TcpProxy } from './tcp-proxy.ts'

/** The roles of one process of a second instance. */
type PeerProcess = 'web' | 'worker' | 'web,worker'

/** A second instance in separate processes, with its own database, Redis prefix, storage folder and port. */
export type PeerInstance = Pick<TestInstance, 'call' | 'login' | 'user' | 'url' | 'rootPassword' | 'folder'> & {
  host: string
  /** The name of its database, which is also the prefix of its keys in Redis. */
  database: string
  /** The proxy in front of its port. */
  proxy: TcpProxy
  /** The lines that its processes have written to their logs. */
  log: string[]
  /** Kills one process, or all of them, with SIGKILL; `start` restarts them. */
  kill(part?: PeerProcess): Promise<void>
  /** Starts the processes that do not run, on the same data. */
  start(): Promise<void>
  stop(): Promise<void>
}

type StartMessage = { type: string; message?: string }
const PASSWORD = 'password1'

/**
 * Starts a second instance; `overrides` as for startTestInstance, `parts` are its processes, `env` overrides the environment of this
 * process. Throws if a process fails to start.
 */
export async function startPeerInstance(
  { internals = {}, ...overrides }: TestOverrides = {},
  parts: PeerProcess[] = ['web,worker'],
  env: Record<string, string> = {}
): Promise<PeerInstance> {
  await ensureBuilt()
  const name = `test_${randomBytes(6).toString('hex')}`
  const folder = await mkdtemp(join(tmpdir(), 'bobine-peer-'))
  await createTestDatabase(name)
  const [internalPort, proxy] = [await findFreePort(), await openTcpProxy()]
  const configuration = JSON.stringify(
    deepMerge(deepMerge(testInstanceConfig(name, folder, proxy.port), { listen: { port: internalPort } }), overrides)
  )
  proxy.connect(internalPort)
  const url = `http://127.0.0.1:${proxy.port}`
  const running = new Map<PeerProcess, ChildProcess>()
  const log: string[] = []
  const start = async () => {
    await Promise.all(
      parts
        .filter(part => !running.has(part))
        .map(async part => {
          const child = fork(join(projectFolder, 'dist/server/main.js'), ['--roles', part], {
            cwd: projectFolder,
            stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
            env: {
              ...process.env,
              ...env,
              BOBINE_CONFIG: configuration,
              BOBINE_INTERNALS: JSON.stringify(internals),
              BOBINE_ROOT_PASSWORD: PASSWORD
            }
          })
          running.set(part, child)
          // Vitest shows the output of a test if it fails.
          for (const stream of [child.stdout!, child.stderr!])
            stream.on('data', data => {
              log.push(...String(data).trimEnd().split('\n'))
              console.error(`${part} at ${url}: ${String(data).trimEnd()}`)
            })
          child.once('close', () => {
            if (running.get(part) === child) running.delete(part)
          })
          const [message] = await Promise.race([
            once(child, 'message') as Promise<[StartMessage]>,
            once(child, 'close').then((): [StartMessage] => [{ type: 'ended', message: `The ${part} of the second instance ended` }])
          ])
          if (message.type !== 'ready') throw new Error(message.message)
        })
    )
  }
  const stopProcesses = async (signal: NodeJS.Signals, which: PeerProcess[]) => {
    await Promise.all(
      which.map(async part => {
        const child = running.get(part)
        if (!child || child.exitCode !== null || child.signalCode !== null) return
        const closed = once(child, 'close')
        child.kill(signal)
        await closed
      })
    )
  }
  await start()
  const client = await createTestClient(url)
  const login = async (username = 'root', password = PASSWORD) => await client.login(username, password)
  return {
    url,
    folder,
    host: `127.0.0.1:${proxy.port}`,
    database: name,
    log,
    proxy: proxy,
    rootPassword: PASSWORD,
    call: client.call,
    login,
    user: async (username, more = {}) => {
      const created = await client.call('POST /users', {
        token: await login(),
        body: { username, password: PASSWORD, email: `${username}@example.com`, role: 2, ...more }
      })
      if (created.status !== 200) throw new Error(created.text)
      const token = await login(username)
      const me = await client.call('GET /users/me', { token })
      return { id: created.json.user.id, token, channelId: me.json.videoChannels[0].id }
    },
    kill: async part => await stopProcesses('SIGKILL', part ? [part] : parts),
    start,
    stop: async () => {
      await stopProcesses('SIGTERM', parts)
      await proxy.close()
      await withTestDatabase(async client => await client.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`))
      await rm(folder, { recursive: true, force: true })
    }
  }
}
