import { expect, test } from 'vitest'
import { followName, parseFollowTargets, followNameFromHandle } from './follow-name.ts'

test('the actor of a whole server is named by its host, any other actor by its handle', () => {
  const actor = { host: 'b.example:9000' } as Parameters<typeof followName>[0]
  expect([followName({ ...actor, name: 'peertube' }), followName({ ...actor, name: 'ada' })]).toEqual([
    'b.example:9000',
    'ada@b.example:9000'
  ])
  expect([followNameFromHandle('peertube@b.example'), followNameFromHandle('ada@b.example')]).toEqual(['b.example', 'ada@b.example'])
})

test('input is split into hosts (also from URLs), handles and invalid entries', () => {
  expect(parseFollowTargets('a.example, https://B.example/ \n@ada@c.example\n127.0.0.1:9000;[::1]:80')).toEqual({
    hosts: ['a.example', 'b.example', '127.0.0.1:9000', '[::1]:80'],
    handles: ['ada@c.example'],
    invalid: []
  })
  expect(parseFollowTargets('https://a.example/videos -x.example a@b@c 😀 javascript:x')).toEqual({
    hosts: [],
    handles: [],
    invalid: ['https://a.example/videos', '-x.example', 'a@b@c', '😀', 'javascript:x']
  })
  expect(parseFollowTargets(' \n')).toEqual({ hosts: [], handles: [], invalid: [] })
})
