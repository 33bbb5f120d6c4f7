import { expect, test } from 'vitest'
import { actorHandle } from './actors.ts'
import { isHost } from './hosts.ts'

const LABEL = 'a'.repeat(63)

test.each([
  'example.org',
  'EXAMPLE.org',
  'localhost',
  'localhost:9000',
  'a-b.example:65535',
  '127.0.0.1:9002',
  '[::1]:80',
  'xn--bcher-kva.example',
  'my_server.example',
  '_a.example:9000',
  `${LABEL}.example`
])('%s names a server', host => expect(isHost(host)).toBe(true))

test.each([
  '',
  ' ',
  'not a host',
  '1',
  'example.1',
  '256.1.1.1',
  '1.2.3',
  '127.0.0.1.',
  // Other forms of addresses, under which no server is known.
  '0x7f',
  '127.0.0.0x1',
  '01.2.3.4',
  '08.1.1.1',
  '[0:0:0:0:0:0:0:1]',
  '[::ffff:127.0.0.1]',
  'http://example.org',
  'example.org/',
  'example.org:0',
  'example.org:65536',
  'example.org:port',
  'localhost:coucou',
  'a@example.org',
  '-a.example',
  'a..example',
  '[::1',
  '[zz]',
  "' OR 1=1 --",
  '<b>.example',
  `${LABEL}a.example`,
  `${'a.'.repeat(150)}example`
])('%s names no server', host => expect(isHost(host)).toBe(false))

test.each([
  ['root@example.org', true],
  ['@root@example.org', true],
  ['été@127.0.0.1:9002', true],
  ['root', false],
  ['root@', false],
  ['@example.org', false],
  ['root@hello@', false],
  ['root@1', false],
  ['a\nb@example.org', false],
  ['', false]
])('%s as a handle: %s', (handle, valid) => expect(actorHandle(true, 'no').safeParse(handle).success).toBe(valid))

test('a name alone is a handle where the host may be missing', () => {
  const schema = actorHandle(false, 'no')
  expect([schema.safeParse('root').success, schema.safeParse('root@').success]).toEqual([true, false])
})
