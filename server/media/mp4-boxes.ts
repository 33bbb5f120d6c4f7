/** The body of the first box at a path of box types (ISO 14496-12, 4.2); empty if there is none. */
export function findBox(buffer: Buffer, ...path: string[]): Buffer {
  return path.reduce((parent, type) => findBoxes(parent, type)[0] ?? Buffer.alloc(0), buffer)
}

/** The bodies of all boxes of a type among the sibling boxes in a buffer. */
export function findBoxes(buffer: Buffer, type: string): Buffer[] {
  const bodies: Buffer[] = []
  for (let offset = 0; offset + 8 <= buffer.length;) {
    const size = buffer.readUInt32BE(offset)
    if (size < 8) break
    if (buffer.toString('latin1', offset + 4, offset + 8) === type)
      bodies.push(buffer.subarray(offset + 8, Math.min(buffer.length, offset + size)))
    offset += size
  }
  return bodies
}

/** A box of a type with concatenated contents. */
export function makeBox(type: string, ...contents: Buffer[]): Buffer {
  const size = contents.reduce((sum, { length }) => sum + length, 8)
  const header = Buffer.alloc(8)
  header.writeUInt32BE(size)
  header.write(type, 4, 'latin1')
  return Buffer.concat([header, ...contents], size)
}

/** A full box (ISO 14496-12, 4.2): version, flags and 32-bit numbers. */
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
