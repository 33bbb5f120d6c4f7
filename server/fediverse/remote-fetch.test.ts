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
import { Budget, FetchError, fetchRemoteDocument, fetchRemoteFile, fetchRemoteJson } from './remote-fetch.ts'
import { setKeyring } from './keyring.ts'

// The certificates of these tests are signed by nobody.
vi.mock('./ssrf-guard.ts', async original => {
  const guard = await original<typeof import('./ssrf-guard.ts')>()
  return { ...guard, createGuardedAgent: (options: object) => guard.createGuardedAgent({ ...options, rejectUnauthorized: false }) }
})

type Handler = (request: IncomingMessage, response: ServerResponse) => void
const AS = 'application/activity+json'
let peer: HostilePeer
let other: HostilePeer
let tls: { url: string; server: Server; handler: Handler }
let folder: string
beforeAll(async () => {
  loadConfig({
    overrides: {
      webserver: { hostname: 'here.example' },
      federation: {
        prevent_ssrf: false,
        fetch: { connect_timeout: '1 second', headers_timeout: '1 second', timeout: '6 seconds', per_host: { max: 100_000 } }
      }
    }
  })
  setKeyring(scriptedKeyring())
  ;[peer, other] = [await startHostilePeer(), await startHostilePeer()]
  folder = await mkdtemp(join(tmpdir(), 'bobine-egress-'))
  const server = createTlsServer(makeSelfSignedCertificate('127.0.0.1'), (request, response) => tls.handler(request, response))
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  tls = { url: `https://127.0.0.1:${(server.address() as AddressInfo).port}`, server, handler: () => undefined }
})
afterAll(async () => {
  tls?.server.closeAllConnections()
  tls?.server.close()
  await Promise.all([peer?.stop(), other?.stop(), rm(folder, { recursive: true, force: true })])
})
beforeEach(() => {
  for (const one of [peer, other]) one.asked.length = 0
})
afterEach(() => {
  config.federation.prevent_ssrf = false
})

let count = 0
const fresh = () => `/${++count}`
const note = (url: string, more: object = {}) => ({ id: url, type: 'Note', ...more })
/** Serves a handler at a path of its own, and gives its address. */
const at = (handler: (address: string) => Handler, host = peer): string => {
  const path = fresh()
  host.serve(path, handler(host.url + path))
  return host.url + path
}
const sending =
  (type: string | undefined, body: string | Buffer, headers: Record<string, string> = {}) =>
  (): Handler =>
  (_request, response) => {
    response.writeHead(200, { ...(type === undefined ? {} : { 'content-type': type }), ...headers }).end(body)
  }
const leading = (location: string, status = 302, first: () => void = () => undefined) =>
  at(() => (_request, response) => {
    first()
    response.writeHead(status, { location }).end()
  })
const plain = (host = peer) =>
  at(
    address => (_request, response) => {
      response.writeHead(200, { 'content-type': AS }).end(JSON.stringify(note(address)))
    },
    host
  )
const problem = async (asking: Promise<unknown>) =>
  await asking.then(
    () => 'answered',
    (error: unknown) => (error instanceof FetchError ? `${error.kind}: ${error.message}` : String(error))
  )

describe('redirects', () => {
  it('are followed, each hop signed for its own host and path', async () => {
    const heard: IncomingMessage[] = []
    const end = at(
      address => (request, response) => {
        heard.push(request)
        response.writeHead(200, { 'content-type': AS }).end(JSON.stringify(note(address)))
      },
      other
    )
    const middle = at(() => (request, response) => {
      heard.push(request)
      response.writeHead(307, { location: end }).end()
    })
    const start = at(() => (request, response) => {
      heard.push(request)
      response.writeHead(301, { location: middle.replace(peer.url, '') }).end()
    })
    expect(await fetchRemoteDocument(start)).toMatchObject({ url: end })
    expect(heard.map(({ headers, url }) => headers.host + url!)).toEqual([start, middle, end].map(url => url.replace('http://', '')))
    const signatures = heard.map(({ headers }) => String(headers.signature))
    expect(new Set(signatures).size).toBe(3)
    for (const signature of signatures) expect(signature).toMatch(/headers="\(request-target\) host date"/)
  })

  it('lead to no private address', async () => {
    const attempts = recordConnectionAttempts([Number(new URL(peer.url).port)])
    const closed = () => {
      config.federation.prevent_ssrf = true
    }
    for (const target of [
      `${other.url}/x`,
      other.url.replace('127.0.0.1', 'localhost'),
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
      expect(await problem(fetchRemoteDocument(leading(target, 302, closed))), target).toMatch(/^refused/)
    }
    attempts.stop()
    expect(attempts.seen).toEqual([])
    expect(other.asked).toEqual([])
  })

  it('lead from https to https only', async () => {
    const end = plain()
    tls.handler = (_request, response) => {
      response.writeHead(302, { location: end }).end()
    }
    expect(await problem(fetchRemoteDocument(`${tls.url}/x`))).toMatch(/^refused/)
    expect(peer.asked).toEqual([])
    tls.handler = (request, response) => {
      if (request.url === '/x') response.writeHead(302, { location: '/y' }).end()
      else response.writeHead(200, { 'content-type': AS }).end(JSON.stringify(note(`${tls.url}/y`)))
    }
    expect(await fetchRemoteDocument(`${tls.url}/x`)).toMatchObject({ url: `${tls.url}/y` })
    expect(await fetchRemoteDocument(leading(`${tls.url}/x`))).toMatchObject({ url: `${tls.url}/y` })
  })

  it('lead to no other scheme, to no password, to nowhere, and not to us', async () => {
    for (const target of [
      'file:///etc/passwd',
      'ftp://127.0.0.1/',
      'javascript:alert(1)',
      'data:application/activity+json,{}',
      'http://',
      'http://user:pass@127.0.0.1/',
      'https://here.example/accounts/alice'
    ]) {
      expect(await problem(fetchRemoteDocument(leading(target))), target).toMatch(/^refused/)
    }
  })

  it('that go in circles or on and on are given up', async () => {
    const self = at(address => (_request, response) => {
      response.writeHead(302, { location: address }).end()
    })
    expect(await problem(fetchRemoteDocument(self))).toMatch(/^invalid.*circles/)
    expect(peer.asked).toHaveLength(1)
    const [one, two] = [fresh(), fresh()]
    for (const [from, to] of [
      [one, two],
      [two, `${one}#again`]
    ] as const)
      peer.serve(from, (_request, response) => {
        response.writeHead(302, { location: to }).end()
      })
    expect(await problem(fetchRemoteDocument(peer.url + one))).toMatch(/^invalid.*circles/)
    expect(peer.asked).toHaveLength(3)
    const three = leading(leading(leading(plain())))
    expect(await problem(fetchRemoteDocument(three))).toBe('answered')
    peer.asked.length = 0
    expect(await problem(fetchRemoteDocument(leading(three)))).toMatch(/^invalid.*on and on/)
    expect(peer.asked).toHaveLength(4)
  })

  it('take no longer all together than one may take', async () => {
    config.federation.fetch.redirects_timeout = 1500
    const slow = (location: string) =>
      at(() => (_request, response) => {
        setTimeout(() => response.writeHead(302, { location }).end(), 700)
      })
    expect(await problem(fetchRemoteDocument(slow(slow(slow(plain())))))).toMatch(/^unreachable/)
    config.federation.fetch.redirects_timeout = 20_000
  })

  it('to another origin make a document that one’s', async () => {
    const claimed = fresh()
    const away = at(
      () => (_request, response) => {
        response.writeHead(200, { 'content-type': AS }).end(JSON.stringify(note(peer.url + claimed)))
      },
      other
    )
    expect(await problem(fetchRemoteDocument(leading(away)))).toMatch(/^invalid.*somebody else/)
  })
})

describe('the id of a document', () => {
  it('is not on another host, scheme or port than its address, and not missing', async () => {
    for (const id of [
      `${other.url}/1`,
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
      const url = at(sending(AS, JSON.stringify({ id, type: 'Note' })))
      expect(await problem(fetchRemoteDocument(url)), String(id)).toMatch(/^invalid/)
    }
    expect(other.asked).toEqual([])
  })

  it('on the same host is asked once for what it says, and believed if it says so too', async () => {
    const real = plain()
    expect(await fetchRemoteDocument(at(sending(AS, JSON.stringify(note(real, { content: 'forged' })))))).toEqual({
      url: real,
      document: note(real)
    })
    const third = plain()
    const second = at(sending(AS, JSON.stringify(note(third))))
    peer.asked.length = 0
    expect(await problem(fetchRemoteDocument(at(sending(AS, JSON.stringify(note(second))))))).toMatch(/^invalid.*another document/)
    expect(peer.asked).toHaveLength(2)
  })
})

describe('types', () => {
  const profile = 'application/ld+json; profile="https://www.w3.org/ns/activitystreams"'
  it('of ActivityPub are read', async () => {
    for (const type of [
      AS,
      'Application/Activity+JSON; charset=utf-8',
      profile,
      `${profile}; charset=utf-8`,
      profile.replaceAll('"', ''),
      'application/ld+json;profile="https://example.org/x https://www.w3.org/ns/activitystreams"'
    ]) {
      const url = at(address => sending(type, JSON.stringify(note(address)))())
      expect(await problem(fetchRemoteDocument(url)), type).toBe('answered')
    }
  })

  it('of anything else are none, though the words are the same', async () => {
    for (const type of [
      'image/png',
      'text/plain',
      'text/html',
      'application/json',
      'application/ld+json',
      'application/ld+json; profile="https://example.org"',
      'application/octet-stream',
      `text/plain; x=${AS}`,
      `image/png, ${AS}`,
      'application/activity+jsonx',
      '',
      undefined
    ]) {
      const url = at(address => sending(type, JSON.stringify(note(address)))())
      expect(await problem(fetchRemoteDocument(url)), String(type)).toMatch(/^invalid/)
    }
    for (const type of ['text/html', 'image/png', AS.replace('json', 'xml')])
      expect(await problem(fetchRemoteJson(at(sending(type, '{}')))), type).toMatch(/^invalid/)
  })

  it('of files are those that are wanted', async () => {
    const target = join(folder, 'file')
    for (const type of ['text/html', 'image/svg+xml', AS, 'application/octet-stream', '']) {
      expect(await problem(fetchRemoteFile(at(sending(type, 'x')), target, { maxSize: 100, types: ['image/png'] })), type).toMatch(
        /^invalid/
      )
    }
    expect(await readdir(folder)).toEqual([])
    expect(await fetchRemoteFile(at(sending('Image/PNG; x=y', 'pixels')), target, { maxSize: 100, types: ['image/png'] })).toBe('image/png')
    expect(await readFile(target, 'utf8')).toBe('pixels')
    await rm(target)
  })
})

describe('size', () => {
  const flood =
    (announced?: number): (() => Handler) =>
    () =>
    (_request, response) => {
      response.writeHead(200, { 'content-type': AS, ...(announced === undefined ? {} : { 'content-length': announced }) })
      const piece = Buffer.alloc(65_536, ' ')
      let sent = 0
      const more = () => {
        while (!response.destroyed && sent < 200_000_000) {
          sent += piece.length
          given = sent
          if (!response.write(piece)) {
            response.once('drain', more)
            return
          }
        }
        response.end()
      }
      more()
    }
  let given = 0

  it('that is announced, or not, is read no further than allowed', async () => {
    for (const announced of [200_015_872, undefined]) {
      given = 0
      expect(await problem(fetchRemoteDocument(at(flood(announced))))).toMatch(/^invalid.*too large/)
      expect(given).toBeLessThan(30_000_000)
    }
  })

  it('counts after unpacking, and twice packed is not unpacked', async () => {
    const bomb = gzipSync(Buffer.alloc(100_000_000, ' '))
    const before = process.memoryUsage().rss
    expect(await problem(fetchRemoteDocument(at(sending(AS, bomb, { 'content-encoding': 'gzip' }))))).toMatch(/^invalid.*too large/)
    expect(process.memoryUsage().rss - before).toBeLessThan(60_000_000)
    expect(await problem(fetchRemoteDocument(at(sending(AS, gzipSync(gzipSync('{}')), { 'content-encoding': 'gzip, gzip' }))))).toMatch(
      /^invalid.*packed/
    )
    expect(await problem(fetchRemoteDocument(at(sending(AS, '{}', { 'content-encoding': 'gzip' }))))).toMatch(/^unreachable|^invalid/)
    const url = at(address => sending(AS, gzipSync(JSON.stringify(note(address))), { 'content-encoding': 'gzip' })())
    expect(await problem(fetchRemoteDocument(url))).toBe('answered')
  })

  it('of a file that is too large leaves nothing behind', async () => {
    for (const headers of [{}, { 'transfer-encoding': 'chunked' }] as Record<string, string>[]) {
      expect(
        await problem(
          fetchRemoteFile(at(sending('image/png', 'x'.repeat(2000), headers)), join(folder, 'large'), {
            maxSize: 1999,
            types: ['image/png']
          })
        )
      ).toMatch(/^invalid.*too large/)
    }
    expect(await readdir(folder)).toEqual([])
  })
})

describe('depth and width', () => {
  it('of what is fetched are bounded as of what is sent', async () => {
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
      expect(await problem(fetchRemoteDocument(at(sending(AS, text)))), name).toMatch(/^invalid/)
    expect(({} as { polluted?: true }).polluted).toBeUndefined()
  })
})

describe('slowness', () => {
  it('of the first byte, of the head and of the body is given up', async () => {
    const silent = at(() => () => undefined)
    const dripping = at(() => (_request, response) => {
      response.writeHead(200, { 'content-type': AS })
      const timer = setInterval(() => response.write(' '), 100)
      response.on('close', () => {
        clearInterval(timer)
        closed++
      })
    })
    const stalled = at(() => (_request, response) => {
      response.writeHead(200, { 'content-type': AS, 'content-length': 100 }).write('{')
      response.on('close', () => closed++)
    })
    const head = at(() => (request, response) => {
      const timer = setInterval(() => request.socket.write('x'), 50)
      request.socket.write('HTTP/1.1 200 OK\r\nx-')
      request.socket.on('close', () => clearInterval(timer))
      response.on('error', () => undefined)
    })
    let closed = 0
    const began = Date.now()
    const took = async (url: string) => [await problem(fetchRemoteDocument(url)), Date.now() - began] as const
    const [first, drip, stall, slowHead] = await Promise.all([silent, dripping, stalled, head].map(took))
    for (const [said] of [first!, drip!, stall!, slowHead!]) expect(said).toMatch(/^unreachable/)
    // The head has a second, a body below the least rate its grace, and everything its whole time.
    expect(first![1]).toBeLessThan(20_000)
    expect(drip![1]).toBeLessThan(20_000)
    expect(stall![1]).toBeLessThan(30_000)
    expect(slowHead![1]).toBeLessThan(30_000)
    await vi.waitFor(() => expect(closed).toBe(2))
  })

  it('of a handshake is given up, and so is a head without an end', async () => {
    const sockets: Socket[] = []
    const deaf = createServer(socket => {
      sockets.push(socket)
      socket.on('error', () => undefined)
    })
    await new Promise<void>(resolve => deaf.listen(0, '127.0.0.1', resolve))
    const began = Date.now()
    expect(await problem(fetchRemoteDocument(`https://127.0.0.1:${(deaf.address() as AddressInfo).port}/x`))).toMatch(/^unreachable/)
    expect(Date.now() - began).toBeLessThan(20_000)
    expect(sockets).toHaveLength(1)
    for (const socket of sockets) socket.destroy()
    deaf.close()
    const endless = at(() => (request, response) => {
      const more = () => {
        if (!request.socket.destroyed) request.socket.write(`x-${'y'.repeat(1000)}: z\r\n`, () => setImmediate(more))
      }
      request.socket.write('HTTP/1.1 200 OK\r\n')
      more()
      response.on('error', () => undefined)
    })
    expect(await problem(fetchRemoteDocument(endless))).toMatch(/^unreachable/)
    expect(Date.now() - began).toBeLessThan(30_000)
  })

  it('of a file leaves nothing behind', async () => {
    config.federation.fetch.timeout = 700
    const url = at(() => (_request, response) => {
      response.writeHead(200, { 'content-type': 'image/png' }).write('x'.repeat(5000))
    })
    expect(await problem(fetchRemoteFile(url, join(folder, 'slow'), { maxSize: 100_000, types: ['image/png'] }))).toMatch(/^unreachable/)
    expect(await readdir(folder)).toEqual([])
    config.federation.fetch.timeout = 6000
  })
})

it('asks for no more than the budget of one cause, redirects counted', async () => {
  const budget = new Budget(3)
  expect(await problem(fetchRemoteDocument(leading(plain()), { budget }))).toBe('answered')
  expect(await problem(fetchRemoteDocument(leading(plain()), { budget }))).toMatch(/^budget/)
})
