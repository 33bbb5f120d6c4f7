import { promisify } from 'node:util'
import { brotliCompress, constants, gzip } from 'node:zlib'
import type { Request } from 'express'

const compress = { br: promisify(brotliCompress), gzip: promisify(gzip) }

/** How a text is compressed on its way. */
export type ContentEncoding = 'br' | 'gzip' | null

/** The best encoding the client takes; browsers name the best one last. */
export function negotiateEncoding(request: Request): ContentEncoding {
  return (['br', 'gzip'] as const).find(one => request.acceptsEncodings(one) === one) ?? null
}

/** A text's bytes as they travel. Quick compression: it is made for one moment. */
export async function compressText(text: string, encoding: ContentEncoding): Promise<Buffer> {
  if (encoding === 'br')
    return await compress.br(text, {
      params: { [constants.BROTLI_PARAM_QUALITY]: 4, [constants.BROTLI_PARAM_MODE]: constants.BROTLI_MODE_TEXT }
    })
  return encoding === 'gzip' ? await compress.gzip(text, { level: 5 }) : Buffer.from(text)
}
