/** The body of the first box at a path of types (ISO 14496-12, 4.2); empty where there is none. */
export function findBox(buffer: Buffer, ...path: string[]): Buffer {
  return path.reduce((inside, type) => findBoxes(inside, type)[0] ?? Buffer.alloc(0), buffer)
}

/** The bodies of all boxes of a type that lie side by side in a buffer. */
export function findBoxes(buffer: Buffer, type: string): Buffer[] {
  const found: Buffer[] = []
  for (let at = 0; at + 8 <= buffer.length;) {
    const size = buffer.readUInt32BE(at)
    if (size < 8) break
    if (buffer.toString('latin1', at + 4, at + 8) === type) found.push(buffer.subarray(at + 8, Math.min(buffer.length, at + size)))
    at += size
  }
  return found
}

/** A box of a type with its contents one after the other. */
export function makeBox(type: string, ...contents: Buffer[]): Buffer {
  const size = contents.reduce((sum, { length }) => sum + length, 8)
  const head = Buffer.alloc(8)
  head.writeUInt32BE(size)
  head.write(type, 4, 'latin1')
  return Buffer.concat([head, ...contents], size)
}

/** A full box: version, flags and 32-bit numbers. */
export function makeFullBox(type: string, version: number, flags: number, numbers: ArrayLike<number>): Buffer {
  return makeBox(type, uint32Bytes([(version << 24) | flags]), uint32Bytes(numbers))
}

/** Numbers as 32-bit words, negative ones as two's complement. */
export function uint32Bytes(numbers: ArrayLike<number>): Buffer {
  const bytes = Buffer.allocUnsafe(numbers.length * 4)
  for (let index = 0; index < numbers.length; index++) bytes.writeUInt32BE(numbers[index]! >>> 0, index * 4)
  return bytes
}

/** Numbers as 64-bit words. */
export function uint64Bytes(numbers: number[]): Buffer {
  const bytes = Buffer.allocUnsafe(numbers.length * 8)
  numbers.forEach((number, index) => bytes.writeBigUInt64BE(BigInt(number), index * 8))
  return bytes
}
