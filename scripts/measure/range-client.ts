import { connect } from 'node:net'

/**
 * A process that requests ranges of `length` bytes of one URL over `clients` connections, one after the other on each, and sends the bytes
 * per second of all.
 */
type RangeJob = { url: string; length: number; size: number; seconds: number; clients: number }

const HEAD_END = Buffer.from('\r\n\r\n')
const buffer = Buffer.allocUnsafeSlow(1024 * 1024)

process.on(
  'message',
  (job: RangeJob) =>
    void Promise.all([...Array(job.clients).keys()].map(async client => await bytesPerSecond(job, client))).then(speeds =>
      process.send!({ perSecond: speeds.reduce((sum, speed) => sum + speed, 0) })
    )
)
process.on('disconnect', () => process.exit())

async function bytesPerSecond({ url, length, size, seconds, clients }: RangeJob, client: number): Promise<number> {
  const { hostname, port, pathname, host } = new URL(url)
  return await new Promise((resolve, reject) => {
    let [left, inHead, received, rangeIndex] = [0, true, 0, client]
    let head: Buffer = Buffer.alloc(0)
    const began = performance.now()
    const socket = connect(
      {
        host: hostname,
        port: Number(port),
        onread: {
          buffer,
          callback: count => {
            readChunk(buffer.subarray(0, count))
            return true
          }
        }
      },
      requestNextRange
    )
    socket.on('error', reject)
    function requestNextRange(): void {
      if (performance.now() - began > seconds * 1000) {
        socket.destroy()
        return resolve((received / (performance.now() - began)) * 1000)
      }
      // Steps by a prime, so that offsets do not repeat soon.
      const from = (rangeIndex * 7_340_033) % (size - length)
      rangeIndex += clients
      inHead = true
      socket.write(`GET ${pathname} HTTP/1.1\r\nHost: ${host}\r\nRange: bytes=${from}-${from + length - 1}\r\n\r\n`)
    }
    function readChunk(chunk: Buffer): void {
      if (inHead) {
        head = Buffer.concat([head, chunk])
        const end = head.indexOf(HEAD_END)
        if (end === -1) return
        if (!head.toString('latin1', 0, 12).endsWith('206')) return reject(new Error(head.toString('latin1', 0, 200)))
        inHead = false
        left = length
        chunk = head.subarray(end + HEAD_END.length)
        head = Buffer.alloc(0)
      }
      left -= chunk.length
      received += chunk.length
      if (left === 0) requestNextRange()
    }
  })
}
