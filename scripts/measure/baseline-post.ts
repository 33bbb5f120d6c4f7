import { createHash, generateKeyPairSync, sign } from 'node:crypto'
import { Agent, request } from 'undici'

/**
 * A process that signs and posts an activity of usual size to inboxes, `repetitions` times each: the upper limit on this machine. Sends {
 * perSecond }.
 */
const [repetitions, ...inboxes] = process.argv.slice(2) as [string, ...string[]]
const CONCURRENCY = 256
const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
const body = JSON.stringify({ type: 'Create', content: 'x'.repeat(2500) })
const digest = `SHA-256=${createHash('sha256').update(body).digest('base64')}`
const agent = new Agent({ connections: 4 })
const queue = [...Array(Number(repetitions)).keys()].flatMap(() => inboxes)
const count = queue.length
const began = performance.now()
await Promise.all(
  [...Array(CONCURRENCY)].map(async () => {
    for (let inbox = queue.pop(); inbox; inbox = queue.pop()) {
      const { host } = new URL(inbox)
      const date = new Date().toUTCString()
      const signature = sign(
        'sha256',
        Buffer.from(`(request-target): post /inbox\nhost: ${host}\ndate: ${date}\ndigest: ${digest}`),
        privateKey
      ).toString('base64')
      const response = await request(inbox, {
        method: 'POST',
        body,
        dispatcher: agent,
        headers: {
          date,
          digest,
          signature: `keyId="a",headers="(request-target) host date digest",signature="${signature}"`,
          'content-type': 'application/activity+json'
        }
      })
      await response.body.dump()
    }
  })
)
process.send!({ perSecond: count / ((performance.now() - began) / 1000) })
process.on('disconnect', () => process.exit(0))
