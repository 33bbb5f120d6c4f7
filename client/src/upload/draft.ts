/** The details of a video that the user enters before it is published. */
export type UploadDraft = {
  name: string
  description: string
  privacy: number
  password: string
  channelId: number
}

const MIN_TITLE_LENGTH = 3
const MAX_TITLE_LENGTH = 120

/** Derives a valid title from a file name: without extension and underscores, within the allowed length. */
export function titleFromFilename(filename: string): string {
  const stem = filename
    .replace(/\.[^.]{1,5}$/, '')
    .replace(/[_]+|\s+/g, ' ')
    .trim()
  return (stem.length < MIN_TITLE_LENGTH ? `${stem} video`.trim() : stem).slice(0, MAX_TITLE_LENGTH)
}

/** Whether a title has 3 to 120 characters, without spaces around it. */
export function isValidVideoTitle(name: string): boolean {
  const { length } = name.trim()
  return length >= MIN_TITLE_LENGTH && length <= MAX_TITLE_LENGTH
}
