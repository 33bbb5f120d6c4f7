import { z } from 'zod'

/**
 * What a subtitle track holds: all that is spoken; only what is foreign to viewers who understand the audio (signs, other languages); or
 * also what is heard besides speech.
 */
export const CaptionKind = z.enum(['subtitles', 'forced', 'hearing_impaired'])
export type CaptionKind = z.infer<typeof CaptionKind>
