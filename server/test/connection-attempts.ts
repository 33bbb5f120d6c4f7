import { isIP, Socket, type LookupFunction } from 'node:net'

type Options = { host?: string; port?: number; lookup?: LookupFunction }
/** The addresses that sockets of this process are opened to, `address port`, whether anybody answers or not. */
export type ConnectionAttempts = { seen: string[]; stop(): void }

/** Notes every attempt of this process to reach an address, except at the ports given; only what `pass` allows leaves the process. */
export function recordConnectionAttempts(except: number[] = [], pass: (address: string) => boolean = () => true): ConnectionAttempts {
  const seen: string[] = []
  const original = Socket.prototype.connect
  Socket.prototype.connect = function (this: Socket, ...given: unknown[]) {
    const options = given.flat()[0] as Options
    const { host, port = 0, lookup } = options
    const held = (address: string) => {
      if (!except.includes(port)) seen.push(`${address} ${port}`)
      return pass(address) ? null : new Error(`${address} is not reached from here`)
    }
    if (host && isIP(host)) {
      const error = held(host)
      if (error) return this.destroy(error)
    } else if (host && lookup) {
      options.lookup = (name, wanted, answer) =>
        lookup(name, wanted, (error, found, family) => {
          const stopped =
            error ??
            [found]
              .flat()
              .map(one => held(typeof one === 'string' ? one : one.address))
              .find(one => one !== null)
          if (stopped) answer(stopped, '', 0)
          else answer(null, found, family)
        })
    }
    return Reflect.apply(original, this, given) as Socket
  } as typeof original
  return {
    seen,
    stop: () => {
      Socket.prototype.connect = original
    }
  }
}
