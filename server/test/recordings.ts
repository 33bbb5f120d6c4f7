import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { projectFolder } from '../core/config.ts'

/** A file in a recorded multipart body; its bytes are not kept. */
export type RecordedFile = { name: string; filename: string; contentType: string; bytes: number }
/** A field of a recorded multipart body. */
export type RecordedField = { name: string; value: string }
/** A recorded body: JSON, a form, multipart parts, or bytes of which only the number is kept. */
export type RecordedBody = unknown

/** An exchange with a PeerTube 6.3: what was sent and what it answered; headers that make no difference are left out. */
export type Recording = {
  /** `0043-get-me-user`: the number orders all recordings. */
  name: string
  number: number
  area: string
  method: string
  path: string
  query?: string
  /** Whose access token was sent: an account of the scenario, or a token that nobody has. */
  as?: string
  headers?: Record<string, string>
  body?: RecordedBody
  status: number
  /** The media type of the answer. */
  type?: string
  /** The Location header of the answer. */
  location?: string
  answer?: unknown
}

const folder = join(projectFolder, 'server/test/recorded-rest')
const NOT_EXCHANGES = ['inbox', 'remote-video']

/** Returns the recordings of all areas in the order of the scenario. Lists are cut to four entries, long texts to 200 characters. */
export function loadRecordings(): Recording[] {
  return readdirSync(folder)
    .map(file => file.replace('.json', ''))
    .filter(area => !NOT_EXCHANGES.includes(area))
    .flatMap(area =>
      readRecorded<Omit<Recording, 'area' | 'number'>[]>(area).map(one => ({ ...one, area, number: Number(one.name.slice(0, 4)) }))
    )
    .sort((one, other) => one.number - other.number)
}

/** Returns a recorded file by its name without extension. */
export function readRecorded<T>(name: string): T {
  return JSON.parse(readFileSync(join(folder, `${name}.json`), 'utf8')) as T
}
