import { expect, test } from 'vitest'
import { anonymizeIp, clientNetwork } from './client-network.ts'

test.each([
  ['203.0.113.7', '203.0.113.7', '203.0.113.0'],
  ['::ffff:203.0.113.7', '203.0.113.7', '203.0.113.0'],
  ['::FFFF:203.0.113.7', '203.0.113.7', '203.0.113.0'],
  ['::ffff:cb00:7107', '203.0.113.7', '203.0.113.0'],
  ['0:0:0:0:0:ffff:cb00:7107', '203.0.113.7', '203.0.113.0'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64', '2001:db8:1::'],
  ['2001:DB8:1:2::', '2001:db8:1:2::/64', '2001:db8:1::'],
  ['2001:0db8:0001:0002:ffff:ffff:ffff:ffff', '2001:db8:1:2::/64', '2001:db8:1::'],
  ['2001:db8::1', '2001:db8:0:0::/64', '2001:db8:0::'],
  ['2001:db8:0:0:1::', '2001:db8:0:0::/64', '2001:db8:0::'],
  ['fe80::1%eth0', 'fe80:0:0:0::/64', 'fe80:0:0::'],
  ['::1', '0:0:0:0::/64', '0:0:0::']
])('%s is counted as %s and logged as %s where addresses are anonymized', (ip, network, anonymous) => {
  expect([clientNetwork(ip), anonymizeIp(ip)]).toEqual([network, anonymous])
})

test('neighbouring networks are counted apart', () => {
  expect(clientNetwork('2001:db8:1:2::1')).not.toBe(clientNetwork('2001:db8:1:3::1'))
  expect(clientNetwork('203.0.113.7')).not.toBe(clientNetwork('203.0.113.8'))
})

test('what is no address has one key, and is not logged', () => {
  expect([clientNetwork(undefined), clientNetwork(''), anonymizeIp('unknown')]).toEqual(['', '', ''])
})
