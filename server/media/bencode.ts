/** A value of the bencoding (BEP 3): `encoded` is spliced in as it is. */
export type Bencodable = number | string | Buffer | Bencodable[] | { [key: string]: Bencodable | undefined } | { encoded: Buffer }

/**
 * Returns the bencoded form of a value (BEP 3): texts as UTF-8, the keys of dictionaries in the order of their bytes; keys whose value is
 * undefined are left out. Throws a TypeError for a number that is no safe integer.
 */
export function bencode(value: Bencodable): Buffer {
  if (typeof value === 'number') {
    if (!Number.isSafeInteger(value)) throw new TypeError(`${value} cannot be bencoded`)
    return Buffer.from(`i${value}e`)
  }
  if (typeof value === 'string') return bencode(Buffer.from(value))
  if (Buffer.isBuffer(value)) return Buffer.concat([Buffer.from(`${value.length}:`), value])
  if (Array.isArray(value)) return Buffer.concat([Buffer.from('l'), ...value.map(bencode), Buffer.from('e')])
  if ('encoded' in value && Buffer.isBuffer(value.encoded)) return value.encoded
  const entries = Object.entries(value as { [key: string]: Bencodable | undefined })
    .flatMap(([key, item]) => (item === undefined ? [] : [{ key: Buffer.from(key), item }]))
    .sort((a, b) => Buffer.compare(a.key, b.key))
  return Buffer.concat([Buffer.from('d'), ...entries.flatMap(({ key, item }) => [bencode(key), bencode(item)]), Buffer.from('e')])
}
