import { open, type FileHandle } from 'node:fs/promises'

/** GUIDs of the ASF header object and its file properties object (ASF specification, 3.1 and 3.2). */
const ASF_HEADER = '3026b2758e66cf11a6d900aa0062ce6c'
const ASF_FILE_PROPERTIES = 'a1dcab8c47a9cf118ee400c00c205365'
/** Recordings that are written to a pipe state sizes like 0x7fffffff or 0xffffffff in RIFF. */
const MIN_UNKNOWN_RIFF_SIZE = 0x7fff_0000
/** A RIFF file has one more chunk for each gigabyte (OpenDML). */
const MAX_RIFF_CHUNKS = 4096
/** Bytes that may be missing: padding. */
const TOLERANCE = 1024

/** Whether an AVI, WAV or ASF file is shorter than its header states; false for other files. ffprobe adapts its durations in that case. */
export async function isShorterThanStated(file: string): Promise<boolean> {
  const handle = await open(file, 'r')
  try {
    const { size } = await handle.stat()
    return size < (await statedSize(handle, size)) - TOLERANCE
  } finally {
    await handle.close()
  }
}

/** The size in bytes that a file should have at least; 0 if it does not say. */
async function statedSize(handle: FileHandle, size: number): Promise<number> {
  const head = await readBytes(handle, 0, 8192)
  if (head.toString('latin1', 0, 4) === 'RIFF') return await statedRiffSize(handle, size)
  return head.toString('hex', 0, 16) === ASF_HEADER ? statedAsfSize(head) : 0
}

async function statedRiffSize(handle: FileHandle, size: number): Promise<number> {
  let end = 0
  for (let chunk = 0; chunk < MAX_RIFF_CHUNKS && end < size; chunk++) {
    const header = await readBytes(handle, end, 8)
    if (header.length < 8 || header.toString('latin1', 0, 4) !== 'RIFF') break
    const length = header.readUInt32LE(4)
    if (length >= MIN_UNKNOWN_RIFF_SIZE) break
    end += 8 + length + (length % 2)
  }
  return end
}

function statedAsfSize(head: Buffer): number {
  const properties = head.indexOf(Buffer.from(ASF_FILE_PROPERTIES, 'hex'))
  if (properties < 0 || properties + 92 > head.length) return 0
  const isBroadcast = (head.readUInt32LE(properties + 88) & 1) === 1
  return isBroadcast ? 0 : Number(head.readBigUInt64LE(properties + 40))
}

async function readBytes(handle: FileHandle, position: number, length: number): Promise<Buffer> {
  const { buffer, bytesRead } = await handle.read(Buffer.allocUnsafe(length), 0, length, position)
  return buffer.subarray(0, bytesRead)
}
