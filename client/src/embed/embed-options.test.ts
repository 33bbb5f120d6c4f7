import { expect, test } from 'vitest'
import { parseEmbedOptions, parsePlaybackSpeed } from './embed-options.ts'

test('an embed URL without options gives the defaults', () => {
  expect(parseEmbedOptions('')).toEqual({
    start: undefined,
    stop: undefined,
    autoplay: false,
    muted: false,
    loop: false,
    controls: 'all',
    title: true,
    link: true,
    subtitle: undefined,
    speed: null,
    colours: { button: null, front: null },
    api: false,
    waitForPassword: false
  })
})

test("every option of PeerTube's documentation is parsed", () => {
  expect(
    parseEmbedOptions(
      '?start=1m5s&stop=90&loop=1&autoplay=1&muted=1&title=0&warningTitle=0&controlBar=0&peertubeLink=0&p2p=0&mode=p2p-media-loader' +
        '&subtitle=pt-BR&playbackRate=1.5&bigPlayBackgroundColor=red&foregroundColor=%23fff&api=1&waitPasswordFromEmbedAPI=1'
    )
  ).toEqual({
    start: 65,
    stop: 90,
    autoplay: true,
    muted: true,
    loop: true,
    controls: 'bare',
    title: false,
    link: false,
    subtitle: 'pt-BR',
    speed: 1.5,
    colours: { button: 'red', front: '#fff' },
    api: true,
    waitForPassword: true
  })
  expect(parseEmbedOptions('?controls=0&controlBar=1')).toMatchObject({ controls: 'none', title: false })
})

test('invalid values are ignored', () => {
  expect(parseEmbedOptions('?start=-1&stop=soon&playbackRate=99&subtitle=%3Cb%3E&loop=2&waitPasswordFromEmbedAPI=1')).toMatchObject({
    start: undefined,
    stop: undefined,
    speed: null,
    subtitle: undefined,
    loop: false,
    waitForPassword: false
  })
  expect([1, '0.25', 4, 0.2, 5, NaN, Infinity, '', null, {}, '2x'].map(parsePlaybackSpeed)).toEqual([
    1,
    0.25,
    4,
    null,
    null,
    null,
    null,
    null,
    null,
    null,
    null
  ])
})
