import { beforeAll, describe, expect, it } from 'vitest'
import { loadConfig } from '../core/config.ts'
import { parseUntrustedJson } from './untrusted-json.ts'
import { RejectedRequestError } from './rejected-request.ts'
import { INBOX } from './inbox-internals.ts'

beforeAll(() => void loadConfig())

const toBytes = (text: string) => Buffer.from(text)
const statusOf = (body: string | Uint8Array) => {
  try {
    parseUntrustedJson(typeof body === 'string' ? toBytes(body) : body)
    return 200
  } catch (error) {
    if (!(error instanceof RejectedRequestError)) throw error
    return error.status
  }
}
const nested = (depth: number, [open, close] = ['[', ']']) =>
  `{"x":${open!.repeat(depth - 1)}${open === '[' ? '' : '1'}${close!.repeat(depth - 1)}}`

describe('parseUntrustedJson: depth, size and forbidden keys', () => {
  it('depth and number of values are accepted up to the limits, and refused beyond: a depth with 400, a number with 413', () => {
    const { maxDepth, maxNodes } = INBOX
    expect(statusOf(nested(maxDepth))).toBe(200)
    expect(statusOf(nested(maxDepth + 1))).toBe(400)
    expect(statusOf(nested(maxDepth, ['{"x":', '}']))).toBe(200)
    expect(statusOf(nested(maxDepth + 1, ['{"x":', '}']))).toBe(400)
    expect(statusOf(JSON.stringify({ x: Array(maxNodes - 2).fill(1) }))).toBe(200)
    expect(statusOf(JSON.stringify({ x: Array(maxNodes).fill(1) }))).toBe(413)
    expect(statusOf(JSON.stringify(Object.fromEntries([...Array(maxNodes + 1)].map((_, index) => [index, 1]))))).toBe(413)
  })

  it('extreme depth and width are refused quickly, without recursion', () => {
    const startedAt = performance.now()
    for (const text of [nested(5_000_000), '['.repeat(5_000_000), '{"x":'.repeat(1_000_000)]) expect(statusOf(text)).toBe(400)
    for (const text of [`{"tag":[${'{"type":"Mention"},'.repeat(1_000_000)}1]}`, JSON.stringify({ url: Array(100_000).fill('x') })]) {
      expect(statusOf(text)).toBe(413)
    }
    expect(performance.now() - startedAt).toBeLessThan(30_000)
  })

  it('brackets and commas inside strings do not count', () => {
    const text = `${'['.repeat(1000)}${','.repeat(100_000)}\\"{{{{`
    expect(parseUntrustedJson(toBytes(JSON.stringify({ text })))).toEqual({ text })
  })

  it('keys that would change a prototype are refused, also when escaped', () => {
    for (const text of [
      '{"__proto__":{"polluted":1}}',
      '{"x":[{"constructor":1}]}',
      '{"x":{"prototype":{}}}',
      '{"\\u005f_proto__":{"polluted":1}}',
      '{"__proto\\u005f\\u005f" : 1}',
      '{"x":{"c\\u006fnstructor":{}}}'
    ])
      expect(statusOf(text), text).toBe(400)
    expect(({} as { polluted?: 1 }).polluted).toBeUndefined()
    expect(parseUntrustedJson(toBytes('{"x":"__proto__","y":["constructor"]}'))).toEqual({ x: '__proto__', y: ['constructor'] })
  })
})

describe('parseUntrustedJson: ambiguous documents', () => {
  it('duplicate keys are refused, also when escaped or nested', () => {
    for (const text of [
      '{"actor":"a","actor":"b"}',
      '{"actor":"a","\\u0061ctor":"b"}',
      '{"x":{"id":1,"id":1}}',
      '{"x":[{"a":1,"b":{},"a":2}]}',
      '{"a":{},"b":[],"a":1}',
      '{"a" :1,"a"\n:\t2}',
      '{"":1,"":2}',
      '{"\\u00e9":1,"é":2}',
      '{"a\\/b":1,"a/b":2}'
    ])
      expect(statusOf(text), text).toBe(400)
    for (const text of [
      '{"a":"a","b":"a"}',
      '{"a":{"a":{"a":1}}}',
      '{"x":[{"a":1},{"a":2}]}',
      '{"a":["a","a"]}',
      '{"é":1,"e\\u0301":2}',
      '{"A":1,"a":2}'
    ])
      expect(statusOf(text), text).toBe(200)
  })

  it('encodings other than UTF-8 without BOM are refused', () => {
    const text = '{"id":"x"}'
    expect(statusOf(text)).toBe(200)
    for (const [name, body] of Object.entries({
      bom: Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), toBytes(text)]),
      utf16: Buffer.from(text, 'utf16le'),
      utf16bom: Buffer.from(`\uFEFF${text}`, 'utf16le'),
      utf16be: Buffer.from(text, 'utf16le').swap16(),
      utf32: Buffer.from([...text].flatMap(letter => [letter.charCodeAt(0), 0, 0, 0])),
      latin1: Buffer.from('{"id":"é"}', 'latin1'),
      overlong: Buffer.concat([toBytes('{"id":"'), Buffer.from([0xc0, 0xaf]), toBytes('"}')]),
      surrogate: Buffer.concat([toBytes('{"id":"'), Buffer.from([0xed, 0xa0, 0x80]), toBytes('"}')]),
      cut: Buffer.concat([toBytes('{"id":"'), Buffer.from([0xe2, 0x82]), toBytes('"}')]),
      zero: Buffer.concat([toBytes(text), Buffer.from([0])])
    }))
      expect(statusOf(body), name).toBe(400)
  })

  it('lone surrogates and NUL become U+FFFD in strings and are refused in keys', () => {
    for (const text of ['"\\ud800"', '"\\udc00"', '"\\uD83D"', '"\\u0000"'])
      expect(parseUntrustedJson(toBytes(`{"x":["a",{"y":${text}}]}`)), text).toEqual({ x: ['a', { y: '\uFFFD' }] })
    expect(parseUntrustedJson(toBytes('{"x":"\\udc00\\ud800a\\u0000b"}'))).toEqual({ x: '\uFFFD\uFFFDa\uFFFDb' })
    for (const text of ['{"\\ud83d":1}', '{"\\ud800":1,"\\ud801":2}', '{"x":[{"a\\u0000":1}]}', '{"actor\\u0000":1,"actor":2}'])
      expect(statusOf(text), text).toBe(400)
    expect(parseUntrustedJson(toBytes('{"x":"\\ud83d\\ude00","y":"😀","z":"\\\\ud800 \\\\u0000"}'))).toEqual({
      x: '😀',
      y: '😀',
      z: '\\ud800 \\u0000'
    })
  })

  it('numbers and literals that are not JSON are refused', () => {
    for (const value of [
      'NaN',
      'Infinity',
      '-Infinity',
      'undefined',
      '0x10',
      '01',
      '+1',
      '.5',
      '1.',
      '1e',
      "'x'",
      '1,',
      'True',
      '/* */1',
      '// x\n1',
      '"\n"',
      '"\u0001"',
      '"\\x41"',
      '"\\u12"',
      '1 2'
    ])
      expect(statusOf(`{"x":${value}}`), value).toBe(400)
    for (const text of [
      '',
      ' ',
      '{',
      '}',
      '{}}',
      '{}{}',
      '{} x',
      '[]',
      '"x"',
      '1',
      'null',
      'true',
      '{x:1}',
      '{"x":1,}',
      '{,}',
      '{"x"}',
      '{"x:1}',
      '\uFEFF{}',
      '\u00A0{}'
    ])
      expect(statusOf(text), text).toBe(400)
  })
})
