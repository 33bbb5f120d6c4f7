import { open } from 'node:fs/promises'
import { findBoxes, findBox } from './mp4-boxes.ts'

/** Data of a fragmented MP4's header: display size, nominal frames per second (0 if unknown), RFC 6381 codec names joined by commas. */
export type Mp4Init = { width: number; height: number; fps: number; codecs: string }

/** Reads the header (ftyp and moov, `length` bytes) of a fragmented MP4 (ISO 14496-12). */
export async function readMp4Init(file: string, length: number): Promise<Mp4Init> {
  // A header has about one kilobyte; a playlist that claims megabytes is wrong.
  const head = Buffer.alloc(Math.min(length, 1024 * 1024))
  const handle = await open(file, 'r')
  try {
    await handle.read(head, 0, head.length, 0)
    return { ...describeTracks(head), fps: await firstFrameRate(handle, head, length) }
  } finally {
    await handle.close()
  }
}

function describeTracks(head: Buffer): Omit<Mp4Init, 'fps'> {
  const codecs: string[] = []
  let width = 0
  let height = 0
  for (const track of findBoxes(findBox(head, 'moov'), 'trak')) {
    const entries = findBox(track, 'mdia', 'minf', 'stbl', 'stsd')
    const type = entries.toString('latin1', 12, 16)
    const entry = entries.subarray(8)
    if (type === 'avc1' || type === 'avc3') {
      width = entry.readUInt16BE(32)
      height = entry.readUInt16BE(34)
      codecs.push(avcCodec(type, findBox(entry.subarray(86), 'avcC')))
    } else if (type === 'mp4a') {
      codecs.push(aacCodec(findBox(entry.subarray(36), 'esds')))
    } else {
      codecs.push(type)
    }
  }
  return { width, height, codecs: codecs.join(',') }
}

function avcCodec(type: string, config: Buffer): string {
  return `${type}.${config.toString('hex', 1, 4)}`
}

// ISO 14496-1: nested descriptors (3 ES, 4 decoder config, 5 decoder specific), each with a length of up to four bytes.
function aacCodec(esds: Buffer): string {
  let offset = 4
  while (offset < esds.length) {
    const tag = esds[offset++]
    let length = 0
    for (let byte = 0x80; byte & 0x80;) {
      byte = esds[offset++] ?? 0
      length = (length << 7) | (byte & 0x7f)
    }
    if (tag === 3) offset += 3
    else if (tag === 4) {
      if (esds[offset] !== 0x40) return `mp4a.${(esds[offset] ?? 0).toString(16)}`
      offset += 13
    } else if (tag === 5) {
      const type = (esds[offset] ?? 0) >> 3
      return `mp4a.40.${type === 31 ? 32 + ((((esds[offset] ?? 0) & 7) << 3) | ((esds[offset + 1] ?? 0) >> 5)) : type}`
    } else offset += length
  }
  return 'mp4a.40.2'
}

async function firstFrameRate(handle: Awaited<ReturnType<typeof open>>, head: Buffer, length: number): Promise<number> {
  const video = findBoxes(findBox(head, 'moov'), 'trak').find(track => findBox(track, 'mdia', 'hdlr').toString('latin1', 8, 12) === 'vide')
  if (!video) return 0
  const mdhd = findBox(video, 'mdia', 'mdhd')
  const timescale = mdhd.length >= 24 ? mdhd.readUInt32BE(mdhd[0] === 1 ? 20 : 12) : 0
  const tkhd = findBox(video, 'tkhd')
  const trackId = tkhd.length >= 24 ? tkhd.readUInt32BE(tkhd[0] === 1 ? 20 : 12) : 0
  const moof = Buffer.alloc(64 * 1024)
  const { bytesRead } = await handle.read(moof, 0, moof.length, length)
  const fragment = findBoxes(findBox(moof.subarray(0, bytesRead), 'moof'), 'traf').find(
    traf => findBox(traf, 'tfhd').readUInt32BE(4) === trackId
  )
  if (!fragment) return 0
  const defaults = findBoxes(findBox(head, 'moov', 'mvex'), 'trex').find(trex => trex.readUInt32BE(4) === trackId)
  const duration = frameDuration(findBox(fragment, 'tfhd'), findBox(fragment, 'trun'), defaults?.readUInt32BE(12) ?? 0)
  return duration > 0 ? timescale / duration : 0
}

// The median frame duration of the fragment in units of the track's timescale (ISO 14496-12, 8.8.7 and 8.8.8).
function frameDuration(tfhd: Buffer, trun: Buffer, defaultDuration: number): number {
  if (trun.length < 8 || tfhd.length < 8) return 0
  const flags = trun.readUIntBE(1, 3)
  const count = trun.readUInt32BE(4)
  if (!(flags & 0x100)) {
    const tfhdFlags = tfhd.readUIntBE(1, 3)
    const offset = 8 + (tfhdFlags & 1 ? 8 : 0) + (tfhdFlags & 2 ? 4 : 0)
    return tfhdFlags & 8 && tfhd.length >= offset + 4 ? tfhd.readUInt32BE(offset) : defaultDuration
  }
  const first = 8 + (flags & 1 ? 4 : 0) + (flags & 4 ? 4 : 0)
  const step = 4 * [0x100, 0x200, 0x400, 0x800].filter(flag => flags & flag).length
  const durations: number[] = []
  for (let i = 0; i < count && first + i * step + 4 <= trun.length; i++) durations.push(trun.readUInt32BE(first + i * step))
  // The very first frame may be longer so that it begins with the audio.
  return durations.sort((a, b) => a - b)[durations.length >> 1] ?? 0
}
