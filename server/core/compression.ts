import { promisify } from 'node:util'
import { brotliCompress, constants, gzip } from 'node:zlib'
import type { Request } from 'express'

const compress = { br: promisify(brotliCompress), gzip: promisify(gzip) }

/** A content coding of HTTP that the server produces; null: none. */
export type ContentEncoding = 'br' | 'gzip' | null

/** Returns the best encoding of `Accept-Encoding`; br is preferred, though browsers list it last. */
export function negotiateEncoding(request: Request): ContentEncoding {
  return (['br', 'gzip'] as const).find(one => request.acceptsEncodings(one) === one) ?? null
}

/** Returns the text as compressed bytes. Low compression levels: the result is used for one response or a short time. */
export async function compressText(text: string, encoding: ContentEncoding): Promise<Buffer> {
  if (encoding === 'br')
    return await compress.br(text, {
      params: { [constants.BROTLI_PARAM_QUALITY]: 4, [constants.BROTLI_PARAM_MODE]: constants.BROTLI_MODE_TEXT }
    })
  return encoding === 'gzip' ? await compress.gzip(text, { level: 5 }) : Buffer.from(text)
}
