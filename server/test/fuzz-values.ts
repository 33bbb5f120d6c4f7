/** Returns one of the elements. */
export function pick<T>(random: () => number, elements: readonly T[]): T {
  return elements[Math.floor(random() * elements.length)]!
}

/** A number as it is written in JSON, which a double may not hold or `JSON.stringify` not write. */
export class RawNumber {
  readonly text: string
  constructor(text: string) {
    this.text = text
  }
}

/** Texts that parsers, databases and file systems take ill, by what they are. */
const HOSTILE_TEXTS = {
  numbers: [
    ...[
      '',
      ' ',
      'NaN',
      'Infinity',
      '-Infinity',
      '-0',
      '-1',
      '0',
      '1.5',
      '1e3',
      '1e308',
      '1e999',
      '0x10',
      '٣',
      '１',
      ' 1',
      '1 ',
      '+1',
      '1_0'
    ],
    ...[
      '2147483647',
      '2147483648',
      '4294967296',
      '9007199254740991',
      '9007199254740993',
      '9223372036854775808',
      '9'.repeat(30),
      '9'.repeat(400)
    ]
  ],
  words: ['null', 'undefined', 'true', 'TRUE', 'no', 'now', '*', 'all'],
  unstorable: [
    '\0',
    'abc\0',
    '\ud800',
    'abc\udc00b',
    '\udc00\ud800abc',
    'abc\ud83d',
    '\uffff',
    '\ufeffabc',
    '\x01\x1f\x7f',
    '\r\nX-Injected: 1',
    '\u2028\u2029'
  ],
  writing: [
    '\u202eabc\u202c',
    'שלום עולם',
    'مرحبا',
    'e\u0301'.repeat(40),
    'Z\u0351\u036b'.repeat(60),
    '👩‍👩‍👧‍👦',
    '𝒜𝒹𝒶',
    'ǅ',
    'İ',
    'ß',
    '\u3000\u3000\u3000',
    '\u200b\u200b\u200b'
  ],
  prototypes: ['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', 'valueOf', 'length'],
  code: [
    "'",
    '"',
    "' OR 1=1 --",
    '%',
    '_',
    '\\',
    '\\\\',
    '%_%',
    '$1',
    ':name',
    '?',
    '{{7*7}}',
    '${7*7}',
    '<script>alert(1)</script>',
    '<!--',
    ']]>',
    '[a](javascript:x)'
  ],
  paths: ['%00', '%zz', '%ff', '../../etc/passwd', '..', '.', '/', '//', '\\u0000', '{}', '[]', '{"a":', 'a=b&c', '#', '?x'],
  patterns: [
    '(((',
    '[a-',
    '*',
    '+',
    '(?<',
    'a{99999999}',
    '& | !',
    '<->',
    ':*',
    'a:b:c',
    '!!',
    '-',
    '""',
    '"unclosed',
    '- -a',
    '"" -"',
    'a\\'
  ],
  dates: [
    ...[
      '275760-09-13',
      '+275760-09-13T00:00:00.000Z',
      '275760-09-13T00:00:00Z',
      '0000-00-00',
      '0000-01-01T00:00:00Z',
      '0001-01-01T00:00:00+01:00'
    ],
    ...[
      '0001-01-01T00:00:00Z',
      '9999-12-31T23:59:59.999Z',
      '9999-12-31T23:59:59-12:00',
      '-000001-01-01T00:00:00Z',
      '2024-02-30',
      '2024-01-01T25:00:00Z'
    ],
    ...[
      '1970-01-01',
      '2024-01-01T00:00:00+99:99',
      '2024-01-01T00:00:00.123456789Z',
      'infinity',
      'epoch',
      'Thu, 01 Jan 1970',
      '1700000000000',
      '2024-01-01 BC'
    ]
  ],
  addresses: [
    ...[
      '@',
      '@@',
      'a@',
      '@a',
      'a@b@c',
      'a@127.0.0.1:9',
      'http://',
      'http://[::1',
      'http://127.0.0.1:9/x',
      'http://a:b@127.0.0.1:9/',
      '//127.0.0.1:9'
    ],
    ...[
      'javascript:alert(1)',
      'file:///etc/passwd',
      'data:text/html,x',
      'https://127.0.0.1:99999/',
      '127.0.0.1:9',
      '[::]',
      'xn--a',
      'localhost'
    ],
    ...['a@xn--', '«owner»@«host»', 'http://«host»/w/«videoShort»', 'http://«host»/accounts/«owner»', '«host»']
  ],
  ids: [
    '00000000-0000-0000-0000-000000000000',
    'ffffffff-ffff-ffff-ffff-ffffffffffff',
    '1'.repeat(22),
    'z'.repeat(22),
    '🎬'.repeat(11),
    '«videoUuid»',
    '999999999',
    '007'
  ],
  long: [
    'a'.repeat(121),
    'a'.repeat(256),
    'é'.repeat(1500),
    'a '.repeat(2600),
    'a'.repeat(10_001),
    '🎬'.repeat(1300),
    'a@'.repeat(1000),
    '('.repeat(3000)
  ]
} as const satisfies Record<string, readonly string[]>

const TEXT_GROUPS: readonly (readonly string[])[] = Object.values(HOSTILE_TEXTS)

/** Returns a hostile text for a field of this name: of its own kind as often as of another. */
export function hostileText(random: () => number, name = ''): string {
  const own = /date|at$|since/i.test(name)
    ? HOSTILE_TEXTS.dates
    : /id$|ids$|count|start|stop|duration|position|timestamp|length|time|quota|privacy|state|age|limit/i.test(name)
      ? HOSTILE_TEXTS.numbers
      : /search|text|name|description|reason|message/i.test(name)
        ? pick(random, [HOSTILE_TEXTS.patterns, HOSTILE_TEXTS.unstorable, HOSTILE_TEXTS.long])
        : /url|host|handle|uri|account|channel/i.test(name)
          ? HOSTILE_TEXTS.addresses
          : null
  return pick(random, own && random() < 0.5 ? own : pick(random, TEXT_GROUPS))
}

const nested = (depth: number, wrap: (inner: unknown) => unknown): unknown => {
  let value: unknown = 1
  for (let level = 0; level < depth; level++) value = wrap(value)
  return value
}

/** Values of JSON that are of another type, size or depth than anybody expects. */
export const HOSTILE_VALUES: readonly unknown[] = [
  ...[null, true, false, 0, -0, -1, 1, 1.5, 2 ** 31 - 1, 2 ** 31, -(2 ** 31) - 1, 2 ** 53, 1e21, 5e-324],
  ...['-0', '9007199254740993', '-9007199254740993', '1e308', '-1e308', '1e400', '9'.repeat(400), '1E+2', '0.1e-300'].map(
    text => new RawNumber(text)
  ),
  ...[[], [null], [[]], [1, 2], ['a', 'a'], [''], [{}], Array(150).fill('a'), Array(2000).fill(1), ['\0'], ['\ud800']],
  ...[{}, { a: 1 }, { length: 1e9 }, { toString: 1 }, { toJSON: 1 }, { $gt: '' }, { id: '1' }, { '': '' }, { '\0': 1 }, { '\ud800': 1 }],
  ...[JSON.parse('{"__proto__":{"a":1}}'), { constructor: { prototype: { a: 1 } } }, { 0: 'a', 1: 'b' }],
  ...[
    nested(40, inner => [inner]),
    nested(60, inner => ({ a: inner })),
    nested(2000, inner => [inner]),
    nested(1500, inner => ({ a: inner }))
  ],
  'a'.repeat(60_000)
]

/** Bodies that are no JSON, or not the JSON of an object. */
export const HOSTILE_BODIES: readonly (string | Buffer)[] = [
  ...[
    '',
    ' ',
    '{',
    '}',
    'null',
    '1',
    '"x"',
    '[]',
    '[null]',
    '{"a":1,}',
    '{"a":NaN}',
    '\ufeff{}',
    '{}{}',
    '{"a":1,"a":2}',
    '/**/{}',
    '\0',
    '{"a":"\\ud800"}'
  ],
  ...[
    Buffer.from('{"a":"\xff"}', 'latin1'),
    Buffer.from('{"a":1}', 'utf16le'),
    Buffer.from([0x1f, 0x8b, 8, 0]),
    '['.repeat(50_000),
    '{"a":'.repeat(10_000)
  ],
  ...[
    'a'.repeat(101 * 1024),
    'a=1&a=2&__proto__=3',
    '%=%&&&=',
    Array.from({ length: 150 }, (_, index) => `a${index}=1`).join('&'),
    '--b\r\n\r\n--b--'
  ]
]

/** Headers that a client may send with any request. */
export const HOSTILE_HEADERS: readonly (readonly [name: string, values: readonly string[]])[] = [
  [
    'authorization',
    ['', 'Bearer', 'Bearer ', 'Bearer x', 'Basic eDp5', `Bearer ${'a'.repeat(600)}`, 'Bearer \x80\xff', 'bearer null', 'Bearer __proto__']
  ],
  [
    'accept',
    [
      '',
      '*',
      '*/*',
      'application/activity+json',
      'application/ld+json; profile="https://www.w3.org/ns/activitystreams"',
      'text/html',
      'a/b;q=NaN',
      ';;;',
      'x'.repeat(4000)
    ]
  ],
  ['accept-language', ['', '*', 'fr', 'xx-XX;q=2', '__proto__', 'constructor', ',,,;q=,', 'a'.repeat(3000), '\xff']],
  ['accept-encoding', ['', 'identity;q=0', '*;q=0', 'br;q=x', '__proto__']],
  [
    'range',
    [
      '',
      'bytes=',
      'bytes=-',
      'bytes=0-0',
      'bytes=5-1',
      'bytes=-0',
      'bytes=99999999999999999999-',
      'bytes=0-0,1-1',
      'lines=1-2',
      `bytes=${'0-0,'.repeat(500)}`
    ]
  ],
  ['if-range', ['"x"', 'W/"x"', 'not a date', '']],
  ['if-none-match', ['*', '"x"', '"', ',,,', 'W/']],
  ['if-modified-since', ['now', 'Thu, 01 Jan 275760 00:00:00 GMT', '']],
  [
    'content-type',
    [
      '',
      'application/json; charset=utf-16',
      'application/json; charset=none',
      'application/json;;',
      'text/plain',
      'application/x-www-form-urlencoded',
      'multipart/form-data',
      'multipart/form-data; boundary=',
      'multipart/form-data; boundary=b',
      '__proto__',
      '\xff/\xff'
    ]
  ],
  ['content-encoding', ['gzip', 'deflate', 'br', 'identity', 'constructor', 'gzip, gzip']],
  ['content-range', ['bytes */*', 'bytes 0-0/1', 'bytes -5-9/10', 'bytes 9-1/3', 'bytes a-b/c', 'bytes 0-99999999999999999999/3']],
  ['x-peertube-video-password', ['', 'wrong', '\xff', 'a'.repeat(3000)]],
  ['x-upload-content-length', ['', '-1', '0', '1e5', '99999999999999999999', 'NaN']],
  ['x-upload-content-type', ['', 'video/mp4', '__proto__', '\xff']],
  ['x-forwarded-for', ['', '127.0.0.1', 'unknown', '::', "1' OR 1=1", 'a'.repeat(2000), '1.1.1.1, 2.2.2.2']],
  ['x-forwarded-host', ['', 'evil.example', '[::1', 'a b']],
  ['x-forwarded-proto', ['', 'https', 'gopher']],
  ['host', ['', 'evil.example', '[::1', 'a b', '127.0.0.1:0']],
  ['origin', ['', 'null', 'http://evil.example', '\xff']],
  ['referer', ['', 'x', '\xff', 'http://evil.example/%']],
  ['cookie', ['', 'a', '=', '__proto__=1', '\xff=\xff', 'a=%']],
  ['user-agent', ['', '\xff', 'a'.repeat(5000), "' OR 1=1"]],
  ['signature', ['', 'keyId="http://127.0.0.1:9/k"', 'keyId="x",algorithm="y",headers="",signature="z"', '__proto__']],
  ['digest', ['', 'SHA-256=', 'x']],
  ['date', ['', 'now', 'Thu, 01 Jan 275760 00:00:00 GMT']],
  ['access-control-request-headers', ['x'.repeat(2000), '\xff']],
  ['expect', ['100-continue', 'nothing']],
  ['x-http-method-override', ['DELETE', '__proto__']]
]
