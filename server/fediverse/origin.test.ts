import { beforeAll, describe, expect, it } from 'vitest'
import { loadConfig } from '../core/config.ts'
import { hostOf, httpUrl, isLocalUrl, originOf, sameOrigin } from './origin.ts'

beforeAll(() => void loadConfig({ overrides: { webserver: { hostname: 'Here.example' } } }))

const SAME_ORIGIN_SPELLINGS = [
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
const OTHER_ORIGINS = [
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

describe('origins and hosts', () => {
  it('all spellings of a host have one origin', () => {
    for (const spelling of SAME_ORIGIN_SPELLINGS) {
      expect(originOf(spelling), spelling).toBe('https://good.example')
      expect(hostOf(spelling), spelling).toBe('good.example')
      expect(httpUrl(spelling), spelling).toBe('https://good.example/a')
      for (const other of SAME_ORIGIN_SPELLINGS) expect(sameOrigin(spelling, other), `${spelling} ${other}`).toBe(true)
    }
  })

  it('similar hosts, other schemes and ports have other origins', () => {
    for (const other of OTHER_ORIGINS) expect(sameOrigin(SAME_ORIGIN_SPELLINGS[0], other), other).toBe(false)
    for (const value of [null, undefined, 1, [SAME_ORIGIN_SPELLINGS[0]], { id: SAME_ORIGIN_SPELLINGS[0] }, '', 'x', 'urn:x'])
      expect(sameOrigin(value, value), String(value)).toBe(false)
  })

  it('internationalized hosts are compared in their ASCII form', () => {
    expect(hostOf('https://BÜCHER.example/')).toBe('xn--bcher-kva.example')
    expect(sameOrigin('https://bücher.example/x', 'https://XN--BCHER-KVA.example./y')).toBe(true)
    expect(sameOrigin('https://bücher.example/x', 'https://bucher.example/x')).toBe(false)
  })

  it('the port is part of the host unless it is the default of the scheme', () => {
    expect(hostOf('http://a.example:80/')).toBe('a.example')
    expect(hostOf('https://a.example:80/')).toBe('a.example:80')
    expect(hostOf('http://[::1]:9000/')).toBe('[::1]:9000')
    expect(sameOrigin('http://[::1]:9000/', 'http://[0:0::1]:9000/')).toBe(true)
    expect(hostOf('http://2130706433/')).toBe('127.0.0.1')
  })

  it('isLocalUrl recognizes every spelling of our host', () => {
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

describe('httpUrl', () => {
  it('only http(s) URLs without credentials and of limited length are accepted', () => {
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

  it('URLs are normalized by WHATWG URL, which escapes quotes and removes line breaks', () => {
    expect(httpUrl(`https://good.example/a b"'<>\n/../c?d'e#f`)).toBe(`https://good.example/c?d%27e#f`)
    expect(httpUrl('https://good.example\\@evil.example/')).toBe('https://good.example/@evil.example/')
  })
})
