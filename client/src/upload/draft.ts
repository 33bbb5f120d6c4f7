/** What is written about a video before it is published. */
export type UploadDraft = {
  name: string
  description: string
  privacy: number
  password: string
  channelId: number
}

const SHORTEST = 3
const LONGEST = 120

/** A title made of a file's name: no extension, no underscores, as long as titles may be. */
export function titleFromFilename(filename: string): string {
  const bare = filename
    .replace(/\.[^.]{1,5}$/, '')
    .replace(/[_]+|\s+/g, ' ')
    .trim()
  return (bare.length < SHORTEST ? `${bare} video`.trim() : bare).slice(0, LONGEST)
}

/** Whether a title has the length titles must have. */
export function isValidVideoTitle(name: string): boolean {
  const { length } = name.trim()
  return length >= SHORTEST && length <= LONGEST
}
