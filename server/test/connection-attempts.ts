import { isIP, Socket, type LookupFunction } from 'node:net'

type ConnectOptions = { host?: string; port?: number; lookup?: LookupFunction }
/** The connection attempts of this process as `address port`, successful or not. */
export type ConnectionAttempts = { seen: string[]; stop(): void }

/** Records every connection attempt of this process, except to the given ports, and blocks those that `pass` does not allow. */
export function recordConnectionAttempts(
  ignoredPorts: number[] = [],
  isAllowed: (address: string) => boolean = () => true
): ConnectionAttempts {
  const seen: string[] = []
  const original = Socket.prototype.connect
  Socket.prototype.connect = function (this: Socket, ...given: unknown[]) {
    const options = given.flat()[0] as ConnectOptions
    const { host, port = 0, lookup } = options
    const recordAndCheck = (address: string) => {
      if (!ignoredPorts.includes(port)) seen.push(`${address} ${port}`)
      return isAllowed(address) ? null : new Error(`${address} is not reached from here`)
    }
    if (host && isIP(host)) {
      const error = recordAndCheck(host)
      if (error) return this.destroy(error)
    } else if (host && lookup) {
      options.lookup = (name, wanted, callback) =>
        lookup(name, wanted, (error, found, family) => {
          const failure =
            error ??
            [found]
              .flat()
              .map(one => recordAndCheck(typeof one === 'string' ? one : one.address))
              .find(one => one !== null)
          if (failure) callback(failure, '', 0)
          else callback(null, found, family)
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
