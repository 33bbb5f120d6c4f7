import { expect, test } from 'vitest'
import { followName, parseFollowTargets, followNameFromHandle } from './follow-name.ts'

test('servers are called by their host, everybody else by the handle', () => {
  const side = { host: 'b.example:9000' } as Parameters<typeof followName>[0]
  expect([followName({ ...side, name: 'peertube' }), followName({ ...side, name: 'ada' })]).toEqual([
    'b.example:9000',
    'ada@b.example:9000'
  ])
  expect([followNameFromHandle('peertube@b.example'), followNameFromHandle('ada@b.example')]).toEqual(['b.example', 'ada@b.example'])
})

test('hosts, addresses and handles are told apart, and from what is neither', () => {
  expect(parseFollowTargets('a.example, https://B.example/ \n@ada@c.example\n127.0.0.1:9000;[::1]:80')).toEqual({
    hosts: ['a.example', 'b.example', '127.0.0.1:9000', '[::1]:80'],
    handles: ['ada@c.example'],
    wrong: []
  })
  expect(parseFollowTargets('https://a.example/videos -x.example a@b@c 😀 javascript:x')).toEqual({
    hosts: [],
    handles: [],
    wrong: ['https://a.example/videos', '-x.example', 'a@b@c', '😀', 'javascript:x']
  })
  expect(parseFollowTargets(' \n')).toEqual({ hosts: [], handles: [], wrong: [] })
})
