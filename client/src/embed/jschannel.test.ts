import { beforeEach, expect, test, vi } from 'vitest'
import { JsChannel, JsChannelError } from './jschannel.ts'

let hear: (event: object) => void
let sent: [message: unknown, origin: string][]
const peer = { postMessage: (text: string, origin: string) => void sent.push([JSON.parse(text), origin]) } as unknown as Window
const say = (message: unknown, more: object = {}) =>
  hear({ source: peer, origin: 'https://a.example', data: typeof message === 'string' ? message : JSON.stringify(message), ...more })
const settle = async () => await new Promise(resolve => setTimeout(resolve))

beforeEach(() => {
  sent = []
  vi.stubGlobal('addEventListener', (_: string, listener: typeof hear) => {
    hear = listener
  })
})

test('both ways to begin are answered, and one of its own is sent', () => {
  const channel = new JsChannel(peer)
  channel.open()
  say({ method: 'peertube::__ready', params: { type: 'publish-request', publish: [] } })
  say({ method: 'peertube::__ready', params: { type: 'publish-reply', publish: [] } })
  say({ method: 'peertube::__ready', params: 'ping' })
  expect(sent).toEqual([
    [{ method: 'peertube::__ready', params: { type: 'publish-request', publish: [] } }, '*'],
    [{ method: 'peertube::__ready', params: { type: 'publish-reply', publish: [] } }, 'https://a.example'],
    [{ method: 'peertube::__ready', params: 'pong' }, 'https://a.example']
  ])
})

test('requests are answered, refusals and failures told', async () => {
  const channel = new JsChannel(peer)
  channel.bind('add', params => (params as number) + 1)
  channel.bind('refuse', () => {
    throw new JsChannelError('not_now', 'Later')
  })
  channel.bind('fail', async () => {
    throw new Error('Broken')
  })
  for (const [id, method] of ['add', 'refuse', 'fail', 'unknown'].entries()) say({ id, method: `peertube::${method}`, params: 4 })
  await settle()
  expect(sent.map(([message]) => message)).toEqual(
    expect.arrayContaining([
      { id: 0, result: 5 },
      { id: 1, error: 'not_now', message: 'Later' },
      { id: 2, error: 'runtime_error', message: 'Broken' },
      { id: 3, error: 'method_not_found', message: 'There is no method unknown' }
    ])
  )
})

test('events go to who greeted, and to nobody before', () => {
  const channel = new JsChannel(peer)
  channel.notify('play')
  say({ method: 'peertube::__ready', params: { type: 'publish-request', publish: [] } }, { origin: 'null' })
  channel.notify('volumeChange', 0.5)
  expect(sent.slice(1)).toEqual([[{ method: 'peertube::volumeChange', params: 0.5 }, '*']])
})

test('strangers, other scripts and nonsense are not heard', async () => {
  const channel = new JsChannel(peer)
  const add = vi.fn()
  channel.bind('add', add)
  say({ id: 1, method: 'peertube::add' }, { source: {} })
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
    say(message)
  say({}, { data: { id: 1, method: 'peertube::add' } })
  await settle()
  expect(add).not.toHaveBeenCalled()
  expect(sent).toEqual([])
})
