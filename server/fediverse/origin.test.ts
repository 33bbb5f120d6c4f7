import { beforeAll, describe, expect, it } from 'vitest'
import { loadConfig } from '../core/config.ts'
import { hostOf, httpUrl, isLocalUrl, originOf, sameOrigin } from './origin.ts'

beforeAll(() => void loadConfig({ overrides: { webserver: { hostname: 'Here.example' } } }))

const SAME = [
  'https://good.example/a',
  'https://GOOD.example/a',
  'HTTPS://Good.Example/a',
  'https://good.example:443/a',
  'https://good.example./a',
  'https://good.example.:443/a',
  'https://good.example:/a',
  'https://ＧＯＯＤ.example/a',
  'https://good%2eexample/a',
  'https://good。example/a',
  'https://good.example:0443/a',
  'https://go\u00ADod.example/a'
]
const OTHER = [
  'http://good.example/a',
  'https://good.example:444/a',
  'https://good.example.evil.example/a',
  'https://evil.example/good.example',
  'https://evil.example/?https://good.example',
  'https://evil.example#good.example/a',
  'https://evilgood.example/a',
  'https://good.example.com/a',
  'https://www.good.example/a',
  'https://gооd.example/a',
  'https://good-example/a',
  'https:good.example',
  'https:///',
  'https://',
  '//good.example/a',
  'good.example',
  'acct:a@good.example',
  ''
]

describe('hosts', () => {
  it('are one, however they are written', () => {
    for (const one of SAME) {
      expect(originOf(one), one).toBe('https://good.example')
      expect(hostOf(one), one).toBe('good.example')
      expect(httpUrl(one), one).toBe('https://good.example/a')
      for (const other of SAME) expect(sameOrigin(one, other), `${one} ${other}`).toBe(true)
    }
  })

  it('are not one because they look alike', () => {
    for (const other of OTHER) expect(sameOrigin(SAME[0], other), other).toBe(false)
    for (const value of [null, undefined, 1, [SAME[0]], { id: SAME[0] }, '', 'x', 'urn:x'])
      expect(sameOrigin(value, value), String(value)).toBe(false)
  })

  it('of other scripts are their ASCII form', () => {
    expect(hostOf('https://BÜCHER.example/')).toBe('xn--bcher-kva.example')
    expect(sameOrigin('https://bücher.example/x', 'https://XN--BCHER-KVA.example./y')).toBe(true)
    expect(sameOrigin('https://bücher.example/x', 'https://bucher.example/x')).toBe(false)
  })

  it('have a port only when it is not the scheme’s own', () => {
    expect(hostOf('http://a.example:80/')).toBe('a.example')
    expect(hostOf('https://a.example:80/')).toBe('a.example:80')
    expect(hostOf('http://[::1]:9000/')).toBe('[::1]:9000')
    expect(sameOrigin('http://[::1]:9000/', 'http://[0:0::1]:9000/')).toBe(true)
    expect(hostOf('http://2130706433/')).toBe('127.0.0.1')
  })

  it('of ours are ours in every way to write them', () => {
    for (const url of ['https://here.example/x', 'https://HERE.example', 'https://here.example.:443/x'])
      expect(isLocalUrl(url), url).toBe(true)
    for (const url of [
      'http://here.example/x',
      'https://here.example:8443/',
      'https://here.example.evil.example/',
      'https://evil.example/here.example',
      'here.example',
      null
    ])
      expect(isLocalUrl(url), String(url)).toBe(false)
  })
})

describe('addresses', () => {
  it('are http(s), without a password, and not too long', () => {
    for (const url of [
      'file:///etc/passwd',
      'ftp://good.example/a',
      'javascript:alert(1)',
      ' javascript:alert(1)',
      'java\nscript:alert(1)',
      'data:text/html,x',
      'blob:https://good.example/1',
      'magnet:?xt=urn:btih:0',
      'ws://good.example/',
      'mailto:a@good.example',
      'view-source:https://good.example',
      'https://user@good.example/',
      'https://user:pass@good.example/',
      'https://:pass@good.example/',
      'https://good.example@evil.example/',
      'https://a b/',
      'https://[::1/',
      'https://a.example:99999/',
      'https://%00/',
      'https://./',
      'https://../x',
      'http:/good.example',
      'http:good.example',
      `https://good.example/${'x'.repeat(2000)}`
    ])
      expect(httpUrl(url), url).toBeNull()
    for (const value of [null, undefined, 5, true, {}, [], ['https://good.example/'], { href: 'https://good.example/' }])
      expect(httpUrl(value), JSON.stringify(value)).toBeNull()
  })

  it('are kept as WHATWG URL writes them, so that a quote or a break in them is only text', () => {
    expect(httpUrl(`https://good.example/a b"'<>\n/../c?d'e#f`)).toBe(`https://good.example/c?d%27e#f`)
    expect(httpUrl('https://good.example\\@evil.example/')).toBe('https://good.example/@evil.example/')
  })
})
