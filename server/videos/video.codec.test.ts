import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { serializeVideoObject } from './video-serializer.codec.ts'
import { InvalidVideoError, parseVideoObject } from './video.codec.ts'

type Recorded = { name: string; document: any }[]
const recorded = JSON.parse(readFileSync(new URL('recorded/activitypub.json', import.meta.url), 'utf8')) as Recorded
const full = () => structuredClone(recorded.find(({ name }) => name.startsWith('0796'))!.document)
const changed = (more: object) => parseVideoObject({ ...full(), ...more })

describe('the recorded documents of a PeerTube 6.3', () => {
  it('are many', () => expect(recorded.length).toBeGreaterThan(25))

  it.each(recorded)('$name is read and written as it was', ({ document }) => {
    // Newer ones name the channel as the audience too (FEP-1b12).
    expect(serializeVideoObject(parseVideoObject(document))).toEqual({
      ...document,
      audience: document.attributedTo.find(({ type }: { type: string }) => type === 'Group').id
    })
  })
})

describe('what PeerTube 8 writes', () => {
  it('is read: owners as addresses, captions as links, a reason for sensitive', () => {
    const { attributedTo, commentsEnabled: _, subtitleLanguage, ...document } = full()
    const read = parseVideoObject({
      ...document,
      attributedTo: attributedTo.map((one: any) => one.id),
      sensitive: true,
      summary: 'Blood',
      embedUrl: 'https://x.example/e',
      schedules: [{ startDate: '2027-01-01' }],
      subtitleLanguage: subtitleLanguage.map((one: any) => ({
        ...one,
        url: [
          { type: 'Link', mediaType: 'application/x-mpegURL', href: 'https://x.example/c.m3u8' },
          { type: 'Link', mediaType: 'text/vtt', href: one.url }
        ]
      })),
      licence: { identifier: 'CC-BY-NC-4.0', name: 'x' },
      tag: [...document.tag, { type: 'SensitiveTag', name: 'violence' }]
    })
    expect(read).toMatchObject({
      account: attributedTo[0].id,
      channel: attributedTo[1].id,
      summary: 'Blood',
      licence: 4,
      commentsPolicy: 1,
      tags: ['tag one', 'three']
    })
    expect(read.captions.map(one => one.url)).toEqual(subtitleLanguage.map((one: any) => one.url))
  })
})

describe('what a stranger writes', () => {
  it.each([
    { id: 'urn:x' },
    { type: 'Note' },
    { name: '' },
    { name: null },
    { uuid: 'x' },
    { duration: 5 },
    { duration: 'PT1M2S' },
    { views: -1 },
    { views: '1' },
    { published: 'soon' },
    { updated: null },
    { attributedTo: [] },
    { attributedTo: 'no address' },
    { attributedTo: [{ type: 'Person', id: 'https://x.example/a' }] }
  ])('is refused: %o', more => expect(() => changed(more)).toThrow(InvalidVideoError))

  it('never breaks the reader, whatever stands in a field', () => {
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
    for (const key of Object.keys(full())) {
      for (const value of values) {
        try {
          serializeVideoObject(changed({ [key]: value }))
        } catch (error) {
          expect(error).toBeInstanceOf(InvalidVideoError)
        }
      }
    }
    for (const value of [null, [], 'x', 7]) expect(() => parseVideoObject(value)).toThrow(InvalidVideoError)
  })

  it('keeps no controls and no turned directions in names', () => {
    expect(changed({ name: 'good\u202egpj.exe\u0000\n\u2066 name' }).name).toBe('goodgpj.exe name')
    expect(changed({ content: 'a\u202eb\nc', support: '\u0000' })).toMatchObject({ content: 'ab\nc', support: null })
    expect(
      changed({
        tag: [
          { type: 'Hashtag', name: '#ok' },
          { type: 'Hashtag', name: '\u202ex' },
          { type: 'Hashtag', name: 'x'.repeat(31) },
          { type: 'Mention', name: 'no' }
        ]
      }).tags
    ).toEqual(['ok'])
  })

  it('has no addresses but http(s), and no magnet without its hash', () => {
    const bad = [
      'file:///etc/passwd',
      'ftp://x.example/v.mp4',
      'javascript:alert(1)',
      'blob:https://x.example/1',
      'https://user:pass@x.example/v.mp4'
    ]
    const read = changed({
      url: [
        ...bad.flatMap(href => [
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
      icon: bad.map(url => ({ type: 'Image', url, mediaType: 'image/jpeg', width: 1, height: 1 })),
      subtitleLanguage: bad.map(url => ({ identifier: 'en', name: 'English', url }))
    })
    expect(read).toMatchObject({ playlist: null, icons: [], captions: [], files: [{ url: 'https://x.example/v.mp4', magnetUri: null }] })
    expect(read.trackers.filter(({ url }) => !/^https?:/.test(url))).toEqual([])
  })

  it('keeps lists short', () => {
    const many = <T>(make: (place: number) => T) => Array.from({ length: 100_000 }, (_, place) => make(place))
    const read = changed({
      tag: many(place => ({ type: 'Hashtag', name: `tag${place}` })),
      url: many(place => ({
        type: 'Link',
        mediaType: 'video/mp4',
        href: `https://x.example/${place}.mp4`,
        height: place,
        size: 1,
        fps: 1
      })),
      cc: many(place => `https://x.example/${place}`)
    })
    expect([read.tags.length, read.files.length, read.cc.length]).toEqual([5, 200, 500])
  })
})
