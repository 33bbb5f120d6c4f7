import { fork, type ChildProcess } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { projectFolder } from '../core/config.ts'
import { ensureBuilt } from './ensure-built.ts'
import {
  createTestClient,
  createTestDatabase,
  withTestDatabase,
  deepMerge,
  freePort,
  testInstanceConfig,
  type TestInstance
} from './instance.ts'
import { openTcpProxy, type TcpProxy } from './tcp-proxy.ts'

/** The processes of a second instance: both roles in one, or one each. */
type Part = 'web' | 'worker' | 'web,worker'

/** A second instance in processes of its own, with its own database, Redis prefix, storage and port. */
export type PeerInstance = Pick<TestInstance, 'call' | 'login' | 'user' | 'url' | 'rootPassword' | 'folder'> & {
  host: string
  /** The name of its database in the test cluster, and the prefix of its keys in Redis. */
  database: string
  /** The wire between it and everybody else. */
  wire: TcpProxy
  /** Ends a part, or all of it, at once, as a lost machine would; `start` brings it back. */
  kill(part?: Part): Promise<void>
  /** Starts what does not run, on the same data. */
  start(): Promise<void>
  stop(): Promise<void>
}

type Ready = { type: string; message?: string }
const PASSWORD = 'password1'

/**
 * Starts a second instance; `overrides` as for startInstance, `parts` for web and worker in two processes, `env` over the environment of
 * this one.
 */
export async function startPeerInstance(
  overrides: { [key: string]: unknown } = {},
  parts: Part[] = ['web,worker'],
  env: Record<string, string> = {}
): Promise<PeerInstance> {
  await ensureBuilt()
  const name = `test_${randomBytes(6).toString('hex')}`
  const folder = await mkdtemp(join(tmpdir(), 'bobine-peer-'))
  await createTestDatabase(name)
  const [inner, wire] = [await freePort(), await openTcpProxy()]
  const configuration = JSON.stringify(
    deepMerge(deepMerge(testInstanceConfig(name, folder, wire.port), { listen: { port: inner } }), overrides)
  )
  wire.connect(inner)
  const url = `http://127.0.0.1:${wire.port}`
  const running = new Map<Part, ChildProcess>()
  const start = async () => {
    await Promise.all(
      parts
        .filter(part => !running.has(part))
        .map(async part => {
          const child = fork(join(projectFolder, 'dist/server/main.js'), ['--roles', part], {
            cwd: projectFolder,
            stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
            env: { ...process.env, ...env, BOBINE_CONFIG: configuration, BOBINE_ROOT_PASSWORD: PASSWORD }
          })
          running.set(part, child)
          // Vitest shows what a test printed where it fails.
          for (const stream of [child.stdout!, child.stderr!])
            stream.on('data', data => console.error(`${part} at ${url}: ${String(data).trimEnd()}`))
          child.once('close', () => {
            if (running.get(part) === child) running.delete(part)
          })
          const [message] = await Promise.race([
            once(child, 'message') as Promise<[Ready]>,
            once(child, 'close').then((): [Ready] => [{ type: 'ended', message: `The ${part} of the second instance ended` }])
          ])
          if (message.type !== 'ready') throw new Error(message.message)
        })
    )
  }
  const end = async (signal: NodeJS.Signals, which: Part[]) => {
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
    host: `127.0.0.1:${wire.port}`,
    database: name,
    wire,
    rootPassword: PASSWORD,
    call: client.call,
    login,
    user: async (username, more = {}) => {
      const made = await client.call('POST /users', {
        token: await login(),
        body: { username, password: PASSWORD, email: `${username}@example.com`, role: 2, ...more }
      })
      if (made.status !== 200) throw new Error(made.text)
      const token = await login(username)
      const me = await client.call('GET /users/me', { token })
      return { id: made.json.user.id, token, channelId: me.json.videoChannels[0].id }
    },
    kill: async part => await end('SIGKILL', part ? [part] : parts),
    start,
    stop: async () => {
      await end('SIGTERM', parts)
      await wire.close()
      await withTestDatabase(async client => await client.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`))
      await rm(folder, { recursive: true, force: true })
    }
  }
}
