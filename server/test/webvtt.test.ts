import { expect, test } from 'vitest'
import { checkWebVtt } from './webvtt.ts'

test('well-formed captions are accepted', () => {
  const text =
    'WEBVTT - a title\n\nNOTE\nsomething\n\n1\n00:00.000 --> 00:01.500 align:start\nHello\n\n00:00:01.500 --> 00:00:02.000\n<i>you</i>\nthere\n'
  expect(checkWebVtt(text, 2)).toEqual([])
  expect(checkWebVtt(text.replaceAll('\n', '\r\n'), 2)).toEqual([])
})

test.each([
  ['another format', '1\n00:00:00,000 --> 00:00:01,000\nHello\n', /does not begin with WEBVTT/],
  ['timestamps of SubRip', 'WEBVTT\n\n00:00:00,000 --> 00:00:01,000\nHello\n', /no cue/],
  ['text without a time', 'WEBVTT\n\nHello\nyou\n', /no cue: Hello/],
  ['an end before the start', 'WEBVTT\n\n00:01.000 --> 00:00.500\nHello\n', /before it begins/],
  ['a cue after the end', 'WEBVTT\n\n00:05.000 --> 00:06.000\nHello\n', /not within the 2\.00 s/],
  ['a cue that lasts longer than the video', 'WEBVTT\n\n00:01.000 --> 00:06.000\nHello\n', /not within the 2\.00 s/],
  ['an arrow in the text', 'WEBVTT\n\n00:00.000 --> 00:01.000\na --> b\n', /an arrow within a cue/]
])('%s is found', (_, text, finding) => {
  expect(checkWebVtt(text, 2).join()).toMatch(finding)
})
