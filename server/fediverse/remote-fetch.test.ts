import { createServer as createTlsServer, type Server } from 'node:https'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { config, loadConfig } from '../core/config.ts'
import { recordConnectionAttempts } from '../test/connection-attempts.ts'
import { makeSelfSignedCertificate } from '../test/certificate.ts'
import { startHostilePeer, type HostilePeer } from '../test/hostile-peer.ts'
import { scriptedKeyring } from '../test/scripted-keyring.ts'
import { FetchBudget, FetchError, fetchRemoteDocument, fetchRemoteFile, fetchRemoteJson } from './remote-fetch.ts'
import { setKeyring } from './keyring.ts'
import { overrideInternals } from '../core/internals.ts'
import { FETCH } from './fetch-internals.ts'

// The test servers use self-signed certificates.
vi.mock('./ssrf-guard.ts', async original => {
  const guard = await original<typeof import('./ssrf-guard.ts')>()
  return { ...guard, createGuardedAgent: (options: object) => guard.createGuardedAgent({ ...options, rejectUnauthorized: false }) }
})

type Handler = (request: IncomingMessage, response: ServerResponse) => void
const ACTIVITY_JSON = 'application/activity+json'
let peer: HostilePeer
let otherPeer: HostilePeer
let tls: { url: string; server: Server; handler: Handler }
let folder: string
beforeAll(async () => {
  loadConfig({
    overrides: {
      webserver: { hostname: 'here.example' },
      federation: { prevent_ssrf: false, fetch: { per_host: { max: 100_000 } } }
    }
  })
  overrideInternals(FETCH, { connectTimeout: 1000, headersTimeout: 1000, timeout: 6000 })
  setKeyring(scriptedKeyring())
  ;[peer, otherPeer] = [await startHostilePeer(), await startHostilePeer()]
  folder = await mkdtemp(join(tmpdir(), 'bobine-egress-'))
  const server = createTlsServer(makeSelfSignedCertificate('127.0.0.1'), (request, response) => tls.handler(request, response))
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  tls = { url: `https://127.0.0.1:${(server.address() as AddressInfo).port}`, server, handler: () => undefined }
})
afterAll(async () => {
  tls?.server.closeAllConnections()
  tls?.server.close()
  await Promise.all([peer?.stop(), otherPeer?.stop(), rm(folder, { recursive: true, force: true })])
})
beforeEach(() => {
  for (const one of [peer, otherPeer]) one.asked.length = 0
})
afterEach(() => {
  config.federation.prevent_ssrf = false
})

let count = 0
const nextPath = () => `/${++count}`
const note = (url: string, overrides: object = {}) => ({ id: url, type: 'Note', ...overrides })
/** Serves a handler at a new path and returns its URL. */
const serveHandler = (handler: (address: string) => Handler, host = peer): string => {
  const path = nextPath()
  host.serve(path, handler(host.url + path))
  return host.url + path
}
const sendBody =
  (type: string | undefined, body: string | Buffer, headers: Record<string, string> = {}) =>
  (): Handler =>
  (_request, response) => {
    response.writeHead(200, { ...(type === undefined ? {} : { 'content-type': type }), ...headers }).end(body)
  }
const redirectTo = (location: string, status = 302, beforeRedirect: () => void = () => undefined) =>
  serveHandler(() => (_request, response) => {
    beforeRedirect()
    response.writeHead(status, { location }).end()
  })
const serveNote = (host = peer) =>
  serveHandler(
    address => (_request, response) => {
      response.writeHead(200, { 'content-type': ACTIVITY_JSON }).end(JSON.stringify(note(address)))
    },
    host
  )
const errorOf = async (fetching: Promise<unknown>) =>
  await fetching.then(
    () => 'answered',
    (error: unknown) => (error instanceof FetchError ? `${error.kind}: ${error.message}` : String(error))
  )

describe('redirects', () => {
  it('are followed, each hop signed for its own host and path', async () => {
    const requests: IncomingMessage[] = []
    const end = serveHandler(
      address => (request, response) => {
        requests.push(request)
        response.writeHead(200, { 'content-type': ACTIVITY_JSON }).end(JSON.stringify(note(address)))
      },
      otherPeer
    )
    const middle = serveHandler(() => (request, response) => {
      requests.push(request)
      response.writeHead(307, { location: end }).end()
    })
    const start = serveHandler(() => (request, response) => {
      requests.push(request)
      response.writeHead(301, { location: middle.replace(peer.url, '') }).end()
    })
    expect(await fetchRemoteDocument(start)).toMatchObject({ url: end })
    expect(requests.map(({ headers, url }) => headers.host + url!)).toEqual([start, middle, end].map(url => url.replace('http://', '')))
    const signatures = requests.map(({ headers }) => String(headers.signature))
    expect(new Set(signatures).size).toBe(3)
    for (const signature of signatures) expect(signature).toMatch(/headers="\(request-target\) host date"/)
  })

  it('to private addresses are refused', async () => {
    const attempts = recordConnectionAttempts([Number(new URL(peer.url).port)])
    const enableSsrfGuard = () => {
      config.federation.prevent_ssrf = true
    }
    for (const target of [
      `${otherPeer.url}/x`,
      otherPeer.url.replace('127.0.0.1', 'localhost'),
      'http://127.0.0.1/',
      'http://localhost/',
      'http://[::1]/',
      'http://10.0.0.1/',
      'http://169.254.169.254/latest/meta-data/',
      'http://2130706433/',
      'http://[::ffff:127.0.0.1]/',
      '//127.0.0.1/'
    ]) {
      config.federation.prevent_ssrf = false
      expect(await errorOf(fetchRemoteDocument(redirectTo(target, 302, enableSsrfGuard))), target).toMatch(/^refused/)
    }
    attempts.stop()
    expect(attempts.seen).toEqual([])
    expect(otherPeer.asked).toEqual([])
  })

  it('from https to http are refused', async () => {
    const end = serveNote()
    tls.handler = (_request, response) => {
      response.writeHead(302, { location: end }).end()
    }
    expect(await errorOf(fetchRemoteDocument(`${tls.url}/x`))).toMatch(/^refused/)
    expect(peer.asked).toEqual([])
    tls.handler = (request, response) => {
      if (request.url === '/x') response.writeHead(302, { location: '/y' }).end()
      else response.writeHead(200, { 'content-type': ACTIVITY_JSON }).end(JSON.stringify(note(`${tls.url}/y`)))
    }
    expect(await fetchRemoteDocument(`${tls.url}/x`)).toMatchObject({ url: `${tls.url}/y` })
    expect(await fetchRemoteDocument(redirectTo(`${tls.url}/x`))).toMatchObject({ url: `${tls.url}/y` })
  })

  it('to other schemes, with credentials, to invalid URLs or to ourselves are refused', async () => {
    for (const target of [
      'file:///etc/passwd',
      'ftp://127.0.0.1/',
      'javascript:alert(1)',
      'data:application/activity+json,{}',
      'http://',
      'http://user:pass@127.0.0.1/',
      'https://here.example/accounts/alice'
    ]) {
      expect(await errorOf(fetchRemoteDocument(redirectTo(target))), target).toMatch(/^refused/)
    }
  })

  it('in circles or in too long chains are given up', async () => {
    const self = serveHandler(address => (_request, response) => {
      response.writeHead(302, { location: address }).end()
    })
    expect(await errorOf(fetchRemoteDocument(self))).toMatch(/^invalid.*circles/)
    expect(peer.asked).toHaveLength(1)
    const [one, two] = [nextPath(), nextPath()]
    for (const [from, to] of [
      [one, two],
      [two, `${one}#again`]
    ] as const)
      peer.serve(from, (_request, response) => {
        response.writeHead(302, { location: to }).end()
      })
    expect(await errorOf(fetchRemoteDocument(peer.url + one))).toMatch(/^invalid.*circles/)
    expect(peer.asked).toHaveLength(3)
    const three = redirectTo(redirectTo(redirectTo(serveNote())))
    expect(await errorOf(fetchRemoteDocument(three))).toBe('answered')
    peer.asked.length = 0
    expect(await errorOf(fetchRemoteDocument(redirectTo(three)))).toMatch(/^invalid.*on and on/)
    expect(peer.asked).toHaveLength(4)
  })

  it('share one total timeout', async () => {
    overrideInternals(FETCH, { redirectsTimeout: 1500 })
    const slow = (location: string) =>
      serveHandler(() => (_request, response) => {
        setTimeout(() => response.writeHead(302, { location }).end(), 700)
      })
    expect(await errorOf(fetchRemoteDocument(slow(slow(slow(serveNote())))))).toMatch(/^unreachable/)
    overrideInternals(FETCH, { redirectsTimeout: 20_000 })
  })

  it('to another origin cannot return a document of the first one', async () => {
    const claimed = nextPath()
    const elsewhere = serveHandler(
      () => (_request, response) => {
        response.writeHead(200, { 'content-type': ACTIVITY_JSON }).end(JSON.stringify(note(peer.url + claimed)))
      },
      otherPeer
    )
    expect(await errorOf(fetchRemoteDocument(redirectTo(elsewhere)))).toMatch(/^invalid.*somebody else/)
  })
})

describe('the id of a document', () => {
  it('must have the host, scheme and port of its URL', async () => {
    for (const id of [
      `${otherPeer.url}/1`,
      'https://good.example/1',
      peer.url.replace('http', 'https'),
      peer.url.replace('127.0.0.1', 'localhost'),
      '',
      null,
      5,
      ['x'],
      { id: 'x' },
      'urn:uuid:1',
      'not an address'
    ]) {
      const url = serveHandler(sendBody(ACTIVITY_JSON, JSON.stringify({ id, type: 'Note' })))
      expect(await errorOf(fetchRemoteDocument(url)), String(id)).toMatch(/^invalid/)
    }
    expect(otherPeer.asked).toEqual([])
  })

  it('is fetched once if it is another URL of the same origin, and must match then', async () => {
    const real = serveNote()
    expect(await fetchRemoteDocument(serveHandler(sendBody(ACTIVITY_JSON, JSON.stringify(note(real, { content: 'forged' })))))).toEqual({
      url: real,
      document: note(real)
    })
    const third = serveNote()
    const second = serveHandler(sendBody(ACTIVITY_JSON, JSON.stringify(note(third))))
    peer.asked.length = 0
    expect(await errorOf(fetchRemoteDocument(serveHandler(sendBody(ACTIVITY_JSON, JSON.stringify(note(second))))))).toMatch(
      /^invalid.*another document/
    )
    expect(peer.asked).toHaveLength(2)
  })
})

describe('media types', () => {
  const profile = 'application/ld+json; profile="https://www.w3.org/ns/activitystreams"'
  it('of ActivityPub are accepted', async () => {
    for (const type of [
      ACTIVITY_JSON,
      'Application/Activity+JSON; charset=utf-8',
      profile,
      `${profile}; charset=utf-8`,
      profile.replaceAll('"', ''),
      'application/ld+json;profile="https://example.org/x https://www.w3.org/ns/activitystreams"'
    ]) {
      const url = serveHandler(address => sendBody(type, JSON.stringify(note(address)))())
      expect(await errorOf(fetchRemoteDocument(url)), type).toBe('answered')
    }
  })

  it('other than ActivityPub are refused, whatever the body', async () => {
    for (const type of [
      'image/png',
      'text/plain',
      'text/html',
      'application/json',
      'application/ld+json',
      'application/ld+json; profile="https://example.org"',
      'application/octet-stream',
      `text/plain; x=${ACTIVITY_JSON}`,
      `image/png, ${ACTIVITY_JSON}`,
      'application/activity+jsonx',
      '',
      undefined
    ]) {
      const url = serveHandler(address => sendBody(type, JSON.stringify(note(address)))())
      expect(await errorOf(fetchRemoteDocument(url)), String(type)).toMatch(/^invalid/)
    }
    for (const type of ['text/html', 'image/png', ACTIVITY_JSON.replace('json', 'xml')])
      expect(await errorOf(fetchRemoteJson(serveHandler(sendBody(type, '{}')))), type).toMatch(/^invalid/)
  })

  it('of files must be among the expected ones', async () => {
    const target = join(folder, 'file')
    for (const type of ['text/html', 'image/svg+xml', ACTIVITY_JSON, 'application/octet-stream', '']) {
      expect(
        await errorOf(fetchRemoteFile(serveHandler(sendBody(type, 'x')), target, { maxSize: 100, types: ['image/png'] })),
        type
      ).toMatch(/^invalid/)
    }
    expect(await readdir(folder)).toEqual([])
    expect(await fetchRemoteFile(serveHandler(sendBody('Image/PNG; x=y', 'pixels')), target, { maxSize: 100, types: ['image/png'] })).toBe(
      'image/png'
    )
    expect(await readFile(target, 'utf8')).toBe('pixels')
    await rm(target)
  })
})

describe('response size', () => {
  const sendEndless =
    (contentLength?: number): (() => Handler) =>
    () =>
    (_request, response) => {
      response.writeHead(200, {
        'content-type': ACTIVITY_JSON,
        ...(contentLength === undefined ? {} : { 'content-length': contentLength })
      })
      const chunk = Buffer.alloc(65_536, ' ')
      let sent = 0
      const writeMore = () => {
        while (!response.destroyed && sent < 200_000_000) {
          sent += chunk.length
          sentBytes = sent
          if (!response.write(chunk)) {
            response.once('drain', writeMore)
            return
          }
        }
        response.end()
      }
      writeMore()
    }
  let sentBytes = 0

  it('is limited while reading, with and without Content-Length', async () => {
    for (const contentLength of [200_015_872, undefined]) {
      sentBytes = 0
      expect(await errorOf(fetchRemoteDocument(serveHandler(sendEndless(contentLength))))).toMatch(/^invalid.*too large/)
      expect(sentBytes).toBeLessThan(30_000_000)
    }
  })

  it('is counted after decompression, and double compression is refused', async () => {
    const bomb = gzipSync(Buffer.alloc(100_000_000, ' '))
    const before = process.memoryUsage().rss
    expect(await errorOf(fetchRemoteDocument(serveHandler(sendBody(ACTIVITY_JSON, bomb, { 'content-encoding': 'gzip' }))))).toMatch(
      /^invalid.*too large/
    )
    expect(process.memoryUsage().rss - before).toBeLessThan(60_000_000)
    expect(
      await errorOf(
        fetchRemoteDocument(serveHandler(sendBody(ACTIVITY_JSON, gzipSync(gzipSync('{}')), { 'content-encoding': 'gzip, gzip' })))
      )
    ).toMatch(/^invalid.*packed/)
    expect(await errorOf(fetchRemoteDocument(serveHandler(sendBody(ACTIVITY_JSON, '{}', { 'content-encoding': 'gzip' }))))).toMatch(
      /^unreachable|^invalid/
    )
    const url = serveHandler(address => sendBody(ACTIVITY_JSON, gzipSync(JSON.stringify(note(address))), { 'content-encoding': 'gzip' })())
    expect(await errorOf(fetchRemoteDocument(url))).toBe('answered')
  })

  it('beyond the limit of a file leaves no file behind', async () => {
    for (const headers of [{}, { 'transfer-encoding': 'chunked' }] as Record<string, string>[]) {
      expect(
        await errorOf(
          fetchRemoteFile(serveHandler(sendBody('image/png', 'x'.repeat(2000), headers)), join(folder, 'large'), {
            maxSize: 1999,
            types: ['image/png']
          })
        )
      ).toMatch(/^invalid.*too large/)
    }
    expect(await readdir(folder)).toEqual([])
  })
})

describe('JSON limits', () => {
  it('apply to fetched documents as to received ones', async () => {
    const documents: Record<string, string> = {
      deep: `{"x":${'['.repeat(100_000)}${']'.repeat(100_000)}}`,
      wide: JSON.stringify(Object.fromEntries([...Array(100_000)].map((_, index) => [index, 1]))),
      long: JSON.stringify({ tag: Array(1_000_000).fill(1) }),
      polluted: '{"__proto__":{"polluted":true}}',
      twice: '{"id":"a","id":"b"}',
      list: '[]',
      words: '"x"',
      nothing: ''
    }
    for (const [name, text] of Object.entries(documents))
      expect(await errorOf(fetchRemoteDocument(serveHandler(sendBody(ACTIVITY_JSON, text)))), name).toMatch(/^invalid/)
    expect(({} as { polluted?: true }).polluted).toBeUndefined()
  })
})

describe('slow servers', () => {
  it('that delay the first byte, the head or the body are given up', async () => {
    const silentUrl = serveHandler(() => () => undefined)
    const drippingUrl = serveHandler(() => (_request, response) => {
      response.writeHead(200, { 'content-type': ACTIVITY_JSON })
      const timer = setInterval(() => response.write(' '), 100)
      response.on('close', () => {
        clearInterval(timer)
        closed++
      })
    })
    const stalledUrl = serveHandler(() => (_request, response) => {
      response.writeHead(200, { 'content-type': ACTIVITY_JSON, 'content-length': 100 }).write('{')
      response.on('close', () => closed++)
    })
    const slowHeadUrl = serveHandler(() => (request, response) => {
      const timer = setInterval(() => request.socket.write('x'), 50)
      request.socket.write('HTTP/1.1 200 OK\r\nx-')
      request.socket.on('close', () => clearInterval(timer))
      response.on('error', () => undefined)
    })
    let closed = 0
    const startedAt = Date.now()
    const measure = async (url: string) => [await errorOf(fetchRemoteDocument(url)), Date.now() - startedAt] as const
    const [firstResult, dripResult, stallResult, headResult] = await Promise.all(
      [silentUrl, drippingUrl, stalledUrl, slowHeadUrl].map(measure)
    )
    for (const [message] of [firstResult!, dripResult!, stallResult!, headResult!]) expect(message).toMatch(/^unreachable/)
    // The response head times out after a second, a body below the minimum rate after its grace period, everything after the total timeout.
    expect(firstResult![1]).toBeLessThan(20_000)
    expect(dripResult![1]).toBeLessThan(20_000)
    expect(stallResult![1]).toBeLessThan(30_000)
    expect(headResult![1]).toBeLessThan(30_000)
    await vi.waitFor(() => expect(closed).toBe(2))
  })

  it('that delay the TLS handshake or send an endless head are given up', async () => {
    const sockets: Socket[] = []
    const silentServer = createServer(socket => {
      sockets.push(socket)
      socket.on('error', () => undefined)
    })
    await new Promise<void>(resolve => silentServer.listen(0, '127.0.0.1', resolve))
    const startedAt = Date.now()
    expect(await errorOf(fetchRemoteDocument(`https://127.0.0.1:${(silentServer.address() as AddressInfo).port}/x`))).toMatch(
      /^unreachable/
    )
    expect(Date.now() - startedAt).toBeLessThan(20_000)
    expect(sockets).toHaveLength(1)
    for (const socket of sockets) socket.destroy()
    silentServer.close()
    const endlessHeadUrl = serveHandler(() => (request, response) => {
      const writeMore = () => {
        if (!request.socket.destroyed) request.socket.write(`x-${'y'.repeat(1000)}: z\r\n`, () => setImmediate(writeMore))
      }
      request.socket.write('HTTP/1.1 200 OK\r\n')
      writeMore()
      response.on('error', () => undefined)
    })
    expect(await errorOf(fetchRemoteDocument(endlessHeadUrl))).toMatch(/^unreachable/)
    expect(Date.now() - startedAt).toBeLessThan(30_000)
  })

  it('leave no partial file behind', async () => {
    overrideInternals(FETCH, { timeout: 700 })
    const url = serveHandler(() => (_request, response) => {
      response.writeHead(200, { 'content-type': 'image/png' }).write('x'.repeat(5000))
    })
    expect(await errorOf(fetchRemoteFile(url, join(folder, 'slow'), { maxSize: 100_000, types: ['image/png'] }))).toMatch(/^unreachable/)
    expect(await readdir(folder)).toEqual([])
    overrideInternals(FETCH, { timeout: 6000 })
  })
})

it('the fetch budget counts every request, redirects included', async () => {
  const budget = new FetchBudget(3)
  expect(await errorOf(fetchRemoteDocument(redirectTo(serveNote()), { budget }))).toBe('answered')
  expect(await errorOf(fetchRemoteDocument(redirectTo(serveNote()), { budget }))).toMatch(/^budget/)
})
