import { isObject } from '../fediverse/vocabulary.ts'
import type { ReplayedAnswer } from './recorded-scenario.ts'
import { findShapeDifferences, type RecordedTypes } from './recorded-shapes.ts'
import type { Recording } from './recordings.ts'

/**
 * Returns how an answer differs from the recorded one, one sentence each: the status, else the `code` of a problem, else the media type and
 * what `findShapeDifferences` finds. `mayBeEmpty`: its list depends on the moment.
 */
export function findAnswerDifferences(
  recording: Recording,
  { status, type, text, json, expected }: ReplayedAnswer,
  types: RecordedTypes,
  { mayBeEmpty = false } = {}
): string[] {
  if (status !== recording.status) return [`status ${status} instead of ${recording.status}: ${detailOf(json) ?? text.slice(0, 100)}`]
  const [code, ours] = [codeOf(recording.answer), codeOf(json)]
  if (code !== undefined && ours !== code) return [`code ${String(ours)} instead of ${String(code)}`]
  // A type of nothing says nothing.
  const media = text !== '' && recording.type && recording.type !== type ? [`media type ${type} instead of ${recording.type}`] : []
  if (recording.area === 'html') return [...media, ...findHeadDifferences(String(recording.answer), text)]
  if (typeof recording.answer === 'string' || recording.answer === undefined) return media
  const empty = mayBeEmpty && isObject(json) && Array.isArray(json.data) && json.data.length === 0
  return [...media, ...(empty ? [] : findShapeDifferences(expected, json, types, recording.area))]
}

/** Returns which tags that other servers and search engines read a page lacks in its head. */
function findHeadDifferences(recorded: string, ours: string): string[] {
  const tags = (html: string) => [
    ...[...html.matchAll(/<meta (?:name|property)="([^"]+)"/g)].map(([, name]) => `meta ${name!}`),
    ...[...html.matchAll(/<link rel="(alternate|canonical|icon)"/g)].map(([, rel]) => `link ${rel!}`),
    ...(html.includes('application/ld+json') ? ['JSON-LD'] : [])
  ]
  const found = new Set(tags(ours))
  return [...new Set(tags(recorded))].filter(tag => !found.has(tag)).map(tag => `${tag}: missing`)
}

const codeOf = (answer: unknown) => (isObject(answer) ? answer.code : undefined)
const detailOf = (answer: unknown) => (isObject(answer) && typeof answer.detail === 'string' ? answer.detail.slice(0, 300) : undefined)
