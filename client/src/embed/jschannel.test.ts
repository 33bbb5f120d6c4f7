import { beforeEach, expect, test, vi } from 'vitest'
import { JsChannel, JsChannelError } from './jschannel.ts'

let receive: (event: object) => void
let sent: [message: unknown, origin: string][]
const peer = { postMessage: (text: string, origin: string) => void sent.push([JSON.parse(text), origin]) } as unknown as Window
const post = (message: unknown, more: object = {}) =>
  receive({ source: peer, origin: 'https://a.example', data: typeof message === 'string' ? message : JSON.stringify(message), ...more })
const waitForResponses = async () => await new Promise(resolve => setTimeout(resolve))

beforeEach(() => {
  sent = []
  vi.stubGlobal('addEventListener', (_: string, listener: typeof receive) => {
    receive = listener
  })
})

test('starts the handshake itself and answers both kinds of handshake of the peer', () => {
  const channel = new JsChannel(peer)
  channel.open()
  post({ method: 'peertube::__ready', params: { type: 'publish-request', publish: [] } })
  post({ method: 'peertube::__ready', params: { type: 'publish-reply', publish: [] } })
  post({ method: 'peertube::__ready', params: 'ping' })
  expect(sent).toEqual([
    [{ method: 'peertube::__ready', params: { type: 'publish-request', publish: [] } }, '*'],
    [{ method: 'peertube::__ready', params: { type: 'publish-reply', publish: [] } }, 'https://a.example'],
    [{ method: 'peertube::__ready', params: 'pong' }, 'https://a.example']
  ])
})

test('requests are answered with the result or the error of their handler', async () => {
  const channel = new JsChannel(peer)
  channel.bind('add', params => (params as number) + 1)
  channel.bind('refuse', () => {
    throw new JsChannelError('not_now', 'Later')
  })
  channel.bind('fail', async () => {
    throw new Error('Broken')
  })
  for (const [id, method] of ['add', 'refuse', 'fail', 'unknown'].entries()) post({ id, method: `peertube::${method}`, params: 4 })
  await waitForResponses()
  expect(sent.map(([message]) => message)).toEqual(
    expect.arrayContaining([
      { id: 0, result: 5 },
      { id: 1, error: 'not_now', message: 'Later' },
      { id: 2, error: 'runtime_error', message: 'Broken' },
      { id: 3, error: 'method_not_found', message: 'There is no method unknown' }
    ])
  )
})

test('events go to the origin of the handshake, and nowhere before it', () => {
  const channel = new JsChannel(peer)
  channel.notify('play')
  post({ method: 'peertube::__ready', params: { type: 'publish-request', publish: [] } }, { origin: 'null' })
  channel.notify('volumeChange', 0.5)
  expect(sent.slice(1)).toEqual([[{ method: 'peertube::volumeChange', params: 0.5 }, '*']])
})

test('messages of other windows, of other scopes and invalid messages are ignored', async () => {
  const channel = new JsChannel(peer)
  const add = vi.fn()
  channel.bind('add', add)
  post({ id: 1, method: 'peertube::add' }, { source: {} })
  for (const message of [
    '',
    '{',
    'null',
    '[]',
    '"x"',
    { id: 1, method: 'other::add' },
    { id: 1, method: 'add' },
    { id: '1', method: 'peertube::add' },
    { method: 'peertube::add' },
    { id: 1, result: 3 },
    { id: 1, method: 'peertube::add', params: 'x'.repeat(20_000) }
  ])
    post(message)
  post({}, { data: { id: 1, method: 'peertube::add' } })
  await waitForResponses()
  expect(add).not.toHaveBeenCalled()
  expect(sent).toEqual([])
})
