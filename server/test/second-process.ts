import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { findFreePort } from '../../scripts/launch/free-port.ts'
import { config, projectFolder } from '../core/config.ts'
import { ensureBuilt } from './ensure-built.ts'
import { createTestClient, deepMerge, testInstanceConfig, type TestInstance, type TestOverrides } from './instance.ts'

/** Another web process of an instance. */
export type SecondProcess = Pick<TestInstance, 'call' | 'url'> & { kill(): Promise<void> }

/** Starts a second web process on the data of `site`; `overrides` should be those of the first. Throws if it does not start. */
export async function startSecondProcess(site: TestInstance, { internals = {}, ...overrides }: TestOverrides = {}): Promise<SecondProcess> {
  await ensureBuilt()
  const port = await findFreePort()
  const child: ChildProcess = fork(join(projectFolder, 'dist/server/main.js'), ['--roles', 'web'], {
    cwd: projectFolder,
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    env: {
      ...process.env,
      BOBINE_CONFIG: JSON.stringify(deepMerge(testInstanceConfig(config.database.name, site.folder, port), overrides)),
      BOBINE_INTERNALS: JSON.stringify(internals)
    }
  })
  // Vitest shows the output of a test if it fails.
  for (const stream of [child.stdout!, child.stderr!]) stream.on('data', data => console.error(`second process: ${String(data).trimEnd()}`))
  const closed = once(child, 'close')
  const [message] = await Promise.race([
    once(child, 'message') as Promise<[{ type: string; message?: string }]>,
    closed.then((): [{ type: string; message?: string }] => [{ type: 'ended', message: 'The second process ended' }])
  ])
  if (message.type !== 'ready') throw new Error(message.message)
  const url = `http://127.0.0.1:${port}`
  return {
    url,
    call: (await createTestClient(url)).call,
    kill: async () => {
      child.kill('SIGKILL')
      await closed
    }
  }
}
