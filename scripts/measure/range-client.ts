import { connect } from 'node:net'

/**
 * A process that asks one URL for ranges of `length` bytes over as many connections as it has clients, one after the other on each, at
 * places of its own choice, and counts what comes.
 */
type Asked = { url: string; length: number; size: number; seconds: number; clients: number }

const HEAD_END = Buffer.from('\r\n\r\n')
const buffer = Buffer.allocUnsafeSlow(1024 * 1024)

process.on(
  'message',
  (asked: Asked) =>
    void Promise.all([...Array(asked.clients).keys()].map(async client => await bytesPerSecond(asked, client))).then(speeds =>
      process.send!({ perSecond: speeds.reduce((sum, speed) => sum + speed, 0) })
    )
)
process.on('disconnect', () => process.exit())

async function bytesPerSecond({ url, length, size, seconds, clients }: Asked, client: number): Promise<number> {
  const { hostname, port, pathname, host } = new URL(url)
  return await new Promise((resolve, reject) => {
    let [left, heading, received, asked] = [0, true, 0, client]
    let head: Buffer = Buffer.alloc(0)
    const began = performance.now()
    const socket = connect(
      {
        host: hostname,
        port: Number(port),
        onread: {
          buffer,
          callback: count => {
            take(buffer.subarray(0, count))
            return true
          }
        }
      },
      next
    )
    socket.on('error', reject)
    function next(): void {
      if (performance.now() - began > seconds * 1000) {
        socket.destroy()
        return resolve((received / (performance.now() - began)) * 1000)
      }
      // Prime steps: no place comes again soon.
      const from = (asked * 7_340_033) % (size - length)
      asked += clients
      heading = true
      socket.write(`GET ${pathname} HTTP/1.1\r\nHost: ${host}\r\nRange: bytes=${from}-${from + length - 1}\r\n\r\n`)
    }
    function take(piece: Buffer): void {
      if (heading) {
        head = Buffer.concat([head, piece])
        const end = head.indexOf(HEAD_END)
        if (end === -1) return
        if (!head.toString('latin1', 0, 12).endsWith('206')) return reject(new Error(head.toString('latin1', 0, 200)))
        heading = false
        left = length
        piece = head.subarray(end + HEAD_END.length)
        head = Buffer.alloc(0)
      }
      left -= piece.length
      received += piece.length
      if (left === 0) next()
    }
  })
}
