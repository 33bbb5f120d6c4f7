import { open, type FileHandle } from 'node:fs/promises'
import { findBox } from './mp4-boxes.ts'
import { readMp4Tracks } from './mp4-samples.ts'

/** As many bytes of a keyframe are read: its parameter sets are at its beginning. */
const READ_BYTES = 4096
/** NAL unit types (ITU-T H.264, table 7-1): coded slices, sequence and picture parameter sets. */
const SLICES = [1, 5]
const PARAMETER_SETS = [7, 8]

/**
 * Whether keyframes of an MP4 with H.264 bring other parameter sets than the sample description (ISO 14496-15, 5.3.3.1) has: joined clips do,
 * and some decoders keep to the first ones.
 */
export async function hasOtherParameterSets(file: string): Promise<boolean> {
  const track = (await readMp4Tracks(file)).find(({ kind }) => kind === 'vide')
  if (!track) return false
  const entry = findBox(track.trak, 'mdia', 'minf', 'stbl', 'stsd').subarray(16)
  const config = findBox(entry.subarray(78), 'avcC')
  if (config.length < 7) return false
  const known = readParameterSets(config)
  const lengthSize = (config[4]! & 3) + 1
  const handle = await open(file, 'r')
  try {
    let sample = 0
    for (const chunk of track.chunks) {
      let offset = chunk.offset
      for (const end = sample + chunk.samples; sample < end; offset += track.sizes[sample++]!) {
        if (!track.syncs[sample]) continue
        for (const unit of await readLeadingUnits(handle, offset, track.sizes[sample]!, lengthSize))
          if (!known.some(parameterSet => parameterSet.equals(unit))) return true
      }
    }
    return false
  } finally {
    await handle.close()
  }
}

/** The sequence and picture parameter sets of an AVCDecoderConfigurationRecord. */
function readParameterSets(config: Buffer): Buffer[] {
  const sets: Buffer[] = []
  let offset = 5
  for (const mask of [0x1f, 0xff]) {
    for (let left = (config[offset++] ?? 0) & mask; left > 0 && offset + 2 <= config.length; left--) {
      const length = config.readUInt16BE(offset)
      sets.push(config.subarray(offset + 2, offset + 2 + length))
      offset += 2 + length
    }
  }
  return sets
}

/** The parameter sets before the first slice of a sample. */
async function readLeadingUnits(handle: FileHandle, position: number, size: number, lengthSize: number): Promise<Buffer[]> {
  const { buffer, bytesRead } = await handle.read(Buffer.allocUnsafe(Math.min(READ_BYTES, size)), 0, Math.min(READ_BYTES, size), position)
  const units: Buffer[] = []
  for (let offset = 0; offset + lengthSize < bytesRead;) {
    const length = buffer.readUIntBE(offset, lengthSize)
    const type = buffer[offset + lengthSize]! & 0x1f
    if (SLICES.includes(type) || length === 0) break
    if (PARAMETER_SETS.includes(type)) units.push(buffer.subarray(offset + lengthSize, Math.min(bytesRead, offset + lengthSize + length)))
    offset += lengthSize + length
  }
  return units
}
