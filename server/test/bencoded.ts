/** A bencoded value (BEP 3) as read: texts are buffers. */
export type BencodedValue = number | Buffer | BencodedValue[] | { [key: string]: BencodedValue }

/**
 * Reads a bencoded dictionary strictly, independent of the writer; `slices` has the bytes of each of its values. Throws for anything that
 * BEP 3 does not allow: keys out of order or twice, leading zeros, bytes after the end.
 */
export function readBencoded(bytes: Buffer): { value: BencodedValue; slices: Record<string, Buffer> } {
  let at = 0
  const slices: Record<string, Buffer> = {}
  const fail = (): never => {
    throw new Error(`not bencoded at ${at}`)
  }
  const readUntil = (end: string): string => {
    const stop = bytes.indexOf(end, at)
    if (stop < 0) return fail()
    const text = bytes.toString('latin1', at, stop)
    at = stop + 1
    return text
  }
  const readText = (): Buffer => {
    const length = readUntil(':')
    if (!/^(0|[1-9]\d*)$/.test(length) || at + Number(length) > bytes.length) return fail()
    at += Number(length)
    return bytes.subarray(at - Number(length), at)
  }
  const readValue = (depth: number): BencodedValue => {
    const type = String.fromCharCode(bytes[at] ?? 0)
    if (type === 'i') {
      at++
      const digits = readUntil('e')
      return /^(0|-?[1-9]\d*)$/.test(digits) ? Number(digits) : fail()
    }
    if (type === 'l') {
      at++
      const list: BencodedValue[] = []
      while (bytes[at] !== 0x65) list.push(readValue(depth + 1))
      at++
      return list
    }
    if (type !== 'd') return readText()
    at++
    const dictionary: Record<string, BencodedValue> = {}
    let previous: Buffer | null = null
    while (bytes[at] !== 0x65) {
      const key = readText()
      if (previous && Buffer.compare(previous, key) >= 0) fail()
      previous = key
      const start = at
      dictionary[key.toString()] = readValue(depth + 1)
      if (depth === 0) slices[key.toString()] = bytes.subarray(start, at)
    }
    at++
    return dictionary
  }
  const value = readValue(0)
  if (at !== bytes.length) fail()
  return { value, slices }
}
