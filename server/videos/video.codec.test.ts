import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { serializeVideoObject } from './video-serializer.codec.ts'
import { InvalidVideoError, parseVideoObject } from './video.codec.ts'

type Recorded = { name: string; document: any }[]
const recorded = JSON.parse(readFileSync(new URL('recorded/activitypub.json', import.meta.url), 'utf8')) as Recorded
const completeDocument = () => structuredClone(recorded.find(({ name }) => name.startsWith('0796'))!.document)
const parseWith = (overrides: object) => parseVideoObject({ ...completeDocument(), ...overrides })

describe('the recorded documents of PeerTube 6.3', () => {
  it('are more than 25', () => expect(recorded.length).toBeGreaterThan(25))

  it.each(recorded)('$name is the same after parsing and serializing', ({ document }) => {
    const { interactionPolicy, ...serialized } = serializeVideoObject(parseVideoObject(document))
    expect(interactionPolicy).toBeDefined()
    // This instance adds the channel as the audience (FEP-1b12).
    expect(serialized).toEqual({
      ...document,
      audience: document.attributedTo.find(({ type }: { type: string }) => type === 'Group').id
    })
  })
})

describe('a document of PeerTube 8', () => {
  it('is parsed: owners as URLs, captions as links, the summary of a sensitive video', () => {
    const { attributedTo, commentsEnabled: _, subtitleLanguage, ...document } = completeDocument()
    const parsed = parseVideoObject({
      ...document,
      attributedTo: attributedTo.map((owner: any) => owner.id),
      sensitive: true,
      summary: 'Blood',
      embedUrl: 'https://x.example/e',
      schedules: [{ startDate: '2027-01-01' }],
      subtitleLanguage: subtitleLanguage.map((caption: any) => ({
        ...caption,
        url: [
          { type: 'Link', mediaType: 'application/x-mpegURL', href: 'https://x.example/c.m3u8' },
          { type: 'Link', mediaType: 'text/vtt', href: caption.url }
        ]
      })),
      licence: { identifier: 'CC-BY-NC-4.0', name: 'x' },
      tag: [...document.tag, { type: 'SensitiveTag', name: 'violence' }]
    })
    expect(parsed).toMatchObject({
      account: attributedTo[0].id,
      channel: attributedTo[1].id,
      summary: 'Blood',
      licence: 4,
      commentsPolicy: 1,
      tags: ['tag one', 'three']
    })
    expect(parsed.captions.map(caption => caption.url)).toEqual(subtitleLanguage.map((caption: any) => caption.url))
  })
})

describe('the languages of a document', () => {
  const parsed = (identifier: unknown) =>
    parseWith({
      language: { identifier, name: 'x' },
      subtitleLanguage: [{ identifier, name: 'x', url: 'https://x.example/c.vtt' }]
    })
  it.each([
    'pt-PT',
    'es-419',
    'ca-valencia',
    'tok',
    'de-CH-1996',
    'zh-yue-Hant-HK',
    'qaa-x-far',
    'i-klingon',
    `en-${'a'.repeat(8)}-x-${'b'.repeat(8)}`
  ])('keep %s as it came', tag => {
    expect([parsed(tag).language, parsed(tag).captions.map(({ language }) => language)]).toEqual([tag, [tag]])
  })
  it('are those of our list whatever the capitals', () => {
    expect([parsed('PT-pt').language, parsed('EN').captions[0]]).toEqual([
      'pt-PT',
      expect.objectContaining({ language: 'en', label: 'English' })
    ])
  })
  it.each(['', 'x'.repeat(36), 'en-', '-en', 'en--us', 'fr_FR', 'en us', '../en', 'en\n', 'französisch', 5, null, { '@value': 'en' }])(
    'are none for %j',
    tag => {
      expect([parsed(tag).language, parsed(tag).captions]).toEqual([null, []])
    }
  )
  it('have one caption each, however it is written', () => {
    const caption = (identifier: string, name: string) => ({ identifier, name, url: `https://x.example/${name}.vtt` })
    const { captions } = parseWith({ subtitleLanguage: [caption('zz-Latn', 'a'), caption('ZZ-latn', 'b')] })
    expect(captions.map(({ url }) => url)).toEqual(['https://x.example/a.vtt'])
  })
})

describe('a document of other software', () => {
  it('needs no UUID, no dates and no duration', () => {
    const { uuid: _uuid, updated: _updated, published: _published, duration: _duration, ...document } = completeDocument()
    const parsed = parseVideoObject(document)
    expect(parsed).toMatchObject({ duration: 0, published: null, updated: null })
    expect(parsed.uuid).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}$/)
    expect(parseVideoObject(document).uuid).toBe(parsed.uuid)
    expect(parseWith({ uuid: 'x', published: 'soon', updated: null })).toMatchObject({ uuid: parsed.uuid, published: null, updated: null })
  })

  it.each([
    ['PT1M2S', 62],
    ['P0DT1H', 3600],
    [42.7, 42],
    ['-PT5S', 0],
    ['soon', 0],
    [null, 0]
  ])('with the duration %s lasts %d seconds', (duration, seconds) => expect(parseWith({ duration }).duration).toBe(seconds))

  it('may name an account alone', () => {
    const person = 'https://x.example/a'
    for (const attributedTo of [person, [person], { type: 'Person', id: person }, [{ type: ['Service'], id: person }]])
      expect(parseWith({ attributedTo }).channel).toBe(person)
  })

  it('is public or unlisted by any form of the public collection', () => {
    for (const to of [['as:Public'], 'Public', [{ id: 'https://www.w3.org/ns/activitystreams#Public' }]])
      expect(parseWith({ to }).public).toBe(true)
    expect(parseWith({ to: ['https://x.example/followers'], cc: 'as:Public' }).public).toBe(false)
    expect(parseWith({ to: [], cc: [] }).public).toBe(false)
  })

  it.each([
    ['an address', 'https://x.example/v.webm', 'video/webm'],
    ['an address with a query', 'https://x.example/v.MP4?token=1', 'video/mp4'],
    ['a link without a type', { type: 'Link', href: 'https://x.example/v.mp4' }, 'video/mp4'],
    ['a type with parameters', { href: 'https://x.example/v', mediaType: 'Video/MP4; codecs="avc1"' }, 'video/mp4'],
    ['an object', [{ type: 'Document', url: 'https://x.example/v', mediaType: 'video/webm' }], 'video/webm']
  ])('has a file as %s', (_form, url, mediaType) => {
    expect(parseWith({ url }).files).toMatchObject([{ mediaType, streams: { audio: true, video: true } }])
  })

  it('has an HLS playlist by any of its media types', () => {
    for (const mediaType of ['application/vnd.apple.mpegurl', 'application/x-mpegurl', 'audio/mpegurl', undefined]) {
      const url = [{ type: 'Link', mediaType, href: 'https://x.example/v.m3u8' }]
      expect(parseWith({ url }).playlist).toMatchObject({ url: 'https://x.example/v.m3u8', files: [] })
    }
  })

  it('has pictures without sizes or types', () => {
    expect(parseWith({ icon: 'https://x.example/a.png' }).icons).toEqual([
      { url: 'https://x.example/a.png', mediaType: 'image/png', width: 0, height: 0 }
    ])
    expect(parseWith({ icon: { type: 'Image', url: [{ type: 'Link', href: 'https://x.example/a' }] } }).icons).toMatchObject([
      { url: 'https://x.example/a', mediaType: 'image/jpeg' }
    ])
  })

  it('is HTML where it does not say what it is', () => {
    for (const mediaType of [undefined, null, 'text/html', 'video/mp4']) expect(parseWith({ mediaType }).mediaType).toBe('text/html')
    for (const mediaType of ['text/markdown', 'text/plain']) expect(parseWith({ mediaType }).mediaType).toBe('text/markdown')
  })

  it('has texts with languages', () => {
    const parsed = parseWith({ name: undefined, nameMap: { fr: 'Un film' }, content: { '@value': 'Bonjour', '@language': 'fr' } })
    expect(parsed).toMatchObject({ name: 'Un film', content: 'Bonjour' })
  })
})

describe('a post with a video', () => {
  const post = (overrides: object) =>
    parseVideoObject({
      type: 'Note',
      id: 'https://x.example/posts/1',
      attributedTo: 'https://x.example/ada',
      to: ['https://www.w3.org/ns/activitystreams#Public'],
      content: '<p>Look &amp; <a href="https://x.example/">listen</a></p><p>More</p>',
      attachment: [
        { type: 'Document', mediaType: 'image/png', url: 'https://x.example/1.png' },
        {
          type: 'Document',
          mediaType: 'video/mp4',
          url: 'https://x.example/1.mp4',
          name: 'A cat',
          width: 720,
          height: 1280,
          duration: 'PT7S'
        },
        { type: 'Document', mediaType: 'video/mp4', url: 'https://x.example/2.mp4' }
      ],
      ...overrides
    })

  it('is the first that can be played, with the first line as its title', () => {
    expect(post({})).toMatchObject({
      name: 'Look & listen',
      channel: 'https://x.example/ada',
      duration: 7,
      commentsPolicy: 1,
      files: [{ url: 'https://x.example/1.mp4', width: 720, height: 1280 }]
    })
  })

  it('has a title whatever it says', () => {
    expect(post({ name: 'Title' }).name).toBe('Title')
    expect(post({ content: '' }).name).toBe('A cat')
    expect(post({ content: '<p></p>', attachment: [{ mediaType: 'video/mp4', url: 'https://x.example/1' }] }).name).toBe('Video')
    expect(post({ content: `<p>${'long '.repeat(100)}` }).name).toMatch(/^long .*…$/)
    expect(post({ content: '<'.repeat(100_000) }).name.length).toBeLessThanOrEqual(120)
  })

  it('has its video after many pictures, within a bound', () => {
    const withPictures = (count: number) => [
      ...Array.from({ length: count }, (_, index) => ({ type: 'Image', mediaType: 'image/png', url: `https://x.example/${index}.png` })),
      { type: 'Document', mediaType: 'video/mp4', url: 'https://x.example/1.mp4' }
    ]
    expect(post({ attachment: withPictures(150) }).files).toHaveLength(1)
    expect(post({ attachment: withPictures(300) }).files).toEqual([])
  })

  it('is no reply where `inReplyTo` names nothing', () => {
    for (const inReplyTo of [undefined, null, '', ' ', false, 0, [], {}, [null, ''], [{}]])
      expect(post({ inReplyTo }).name, JSON.stringify(inReplyTo)).toBe('Look & listen')
    for (const inReplyTo of [
      'https://x.example/1',
      ['', 'https://x.example/1'],
      { id: 'https://x.example/1' },
      { type: 'Link', href: 'x' }
    ])
      expect(() => post({ inReplyTo }), JSON.stringify(inReplyTo)).toThrow('a reply is a comment')
  })

  it('gets a title as a Video, too', () => {
    for (const name of [null, '', undefined]) expect(post({ type: 'Video', name }).name).toBe('Look & listen')
    expect(post({ type: 'Video', content: null }).name).toBe('A cat')
    expect(post({ type: 'Video', content: null, summary: 'Short', attachment: [] }).name).toBe('Short')
  })

  it('is not taken where it is not public', () => {
    expect(() => post({ to: ['https://x.example/followers'] })).toThrow(InvalidVideoError)
    expect(() => post({ to: [], cc: [] })).toThrow(InvalidVideoError)
    expect(post({ to: [], cc: ['as:Public'] }).public).toBe(false)
  })
})

describe('an untrusted document', () => {
  it.each([
    { id: 'urn:x' },
    { type: 'Event' },
    { type: 'Note', inReplyTo: 'https://x.example/note' },
    { to: ['https://x.example/followers'], cc: [] },
    { name: '', content: '', summary: null },
    { name: null, content: '<p></p>', summary: undefined },
    { views: -1 },
    { views: '1' },
    { attributedTo: [] },
    { attributedTo: 'no address' },
    { attributedTo: [{ type: 'Organisation', id: 'https://x.example/a' }] }
  ])('is refused with %o', overrides => expect(() => parseWith(overrides)).toThrow(InvalidVideoError))

  it('causes no error but InvalidVideoError, whatever the value of a field', () => {
    const values = [
      null,
      5,
      -1,
      1e300,
      'x'.repeat(100_000),
      [],
      {},
      [[[]]],
      [null],
      true,
      { type: 'Link' },
      [{ type: 'Link', href: {}, mediaType: [] }],
      { identifier: {} }
    ]
    for (const key of Object.keys(completeDocument())) {
      for (const value of values) {
        try {
          serializeVideoObject(parseWith({ [key]: value }))
        } catch (error) {
          expect(error).toBeInstanceOf(InvalidVideoError)
        }
      }
    }
    for (const value of [null, [], 'x', 7]) expect(() => parseVideoObject(value)).toThrow(InvalidVideoError)
  })

  it('loses control and bidirectional override characters in texts', () => {
    expect(parseWith({ name: 'good\u202egpj.exe\u0000\n\u2066 name' }).name).toBe('goodgpj.exe name')
    expect(parseWith({ content: 'a\u202eb\nc', support: '\u0000' })).toMatchObject({ content: 'ab\nc', support: null })
    expect(
      parseWith({
        tag: [
          { type: 'Hashtag', name: '#ok' },
          { type: 'Hashtag', name: '\u202ex' },
          { type: 'Hashtag', name: 'x'.repeat(31) },
          { type: 'Mention', name: 'no' }
        ]
      }).tags
    ).toEqual(['ok'])
  })

  it('loses URLs other than http(s) and magnet URIs without an info hash', () => {
    const unsafeUrls = [
      'file:///etc/passwd',
      'ftp://x.example/v.mp4',
      'javascript:alert(1)',
      'blob:https://x.example/1',
      'https://user:pass@x.example/v.mp4'
    ]
    const parsed = parseWith({
      url: [
        ...unsafeUrls.flatMap(href => [
          { type: 'Link', mediaType: 'video/mp4', href, height: 1, size: 1, fps: 1 },
          { type: 'Link', mediaType: 'application/x-mpegURL', href, tag: [] },
          { type: 'Link', name: 'tracker-http', rel: ['tracker'], href }
        ]),
        { type: 'Link', mediaType: 'video/mp4', href: 'https://x.example/v.mp4', height: 720, size: 1, fps: 25 },
        {
          type: 'Link',
          mediaType: 'application/x-bittorrent;x-scheme-handler/magnet',
          href: 'magnet:?xt=urn:btih:xyz&xs=https://x.example/t',
          height: 720
        }
      ],
      icon: unsafeUrls.map(url => ({ type: 'Image', url, mediaType: 'image/jpeg', width: 1, height: 1 })),
      subtitleLanguage: unsafeUrls.map(url => ({ identifier: 'en', name: 'English', url }))
    })
    expect(parsed).toMatchObject({ playlist: null, icons: [], captions: [], files: [{ url: 'https://x.example/v.mp4', magnetUri: null }] })
    expect(parsed.trackers.filter(({ url }) => !/^https?:/.test(url))).toEqual([])
  })

  it('gets its lists truncated', () => {
    const many = <T>(create: (index: number) => T) => Array.from({ length: 100_000 }, (_, index) => create(index))
    const parsed = parseWith({
      tag: many(index => ({ type: 'Hashtag', name: `tag${index}` })),
      url: many(index => ({
        type: 'Link',
        mediaType: 'video/mp4',
        href: `https://x.example/${index}.mp4`,
        height: index,
        size: 1,
        fps: 1
      })),
      cc: many(index => `https://x.example/${index}`)
    })
    const addresses = Array.from({ length: 50 }, (_, index) => `https://x.example/${index}.mp4`)
    const nested = parseWith({ url: Array.from({ length: 300 }, () => ({ mediaType: 'video/mp4', url: addresses })) })
    expect(nested.files.length).toBe(200)
    expect([parsed.tags.length, parsed.files.length, parsed.cc.length]).toEqual([5, 200, 500])
  })
})
