import { createServer } from 'node:net'
import { CliError } from './cli-error.ts'

/** Throws CliError where the port cannot be listened on. */
export async function assertPortFree({ hostname, port }: { hostname: string; port: number }): Promise<void> {
  const code = await new Promise<string | undefined>(resolve => {
    const server = createServer()
    server.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message))
    server.listen({ host: hostname, port, exclusive: true }, () => server.close(() => resolve(undefined)))
  })
  if (code === 'EADDRINUSE')
    throw new CliError(`Port ${port} on ${hostname} is used by another program: stop that one, or choose another port with --port`)
  if (code === 'EACCES') throw new CliError(`This account may not listen on port ${port}: choose one above 1023 with --port`)
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND')
    throw new CliError(`This machine does not have the address ${hostname} (listen.hostname)`)
  if (code !== undefined) throw new CliError(`Port ${port} on ${hostname} cannot be used: ${code}`)
}
