import { findBox, makeBox, makeFullBox, uint32Bytes } from '../media/mp4-boxes.ts'

/** An edit of an edit list (ISO 14496-12, 8.6.6): seconds that are shown, from this second of the media; null shows nothing. */
export type Edit = { seconds: number; from: number | null }

/** For tests: replaces the edit list of every track of an MP4 whose `moov` is at its end. */
export function replaceEdits(file: Buffer, edits: Edit[]): Buffer {
  const movieScale = findBox(file, 'moov', 'mvhd').readUInt32BE(12)
  return editBoxes(file, ['moov', 'trak'], trak => {
    const mediaScale = findBox(trak, 'mdia', 'mdhd').readUInt32BE(12)
    // The media time of the first sample that is shown: it skips the delay of B-frames and the priming of an audio encoder.
    const origin = findBox(trak, 'edts', 'elst').readInt32BE(12)
    const entries = edits.flatMap(({ seconds, from }) => [
      Math.round(seconds * movieScale),
      from === null ? -1 : origin + Math.round(from * mediaScale),
      0x10000
    ])
    const edts = makeBox('edts', makeFullBox('elst', 0, 0, [edits.length, ...entries]))
    return Buffer.concat(listBoxes(trak).map(box => (box.type === 'edts' ? edts : box.bytes)))
  })
}

/** For tests: replaces the display matrix of an MP4: [x' = a x + c y, y' = b x + d y], moved into the positive quadrant. */
export function replaceDisplayMatrix(file: Buffer, [a, b, c, d]: [number, number, number, number]): Buffer {
  return editBoxes(file, ['moov', 'trak', 'tkhd'], tkhd => {
    const changed = Buffer.from(tkhd)
    const [width, height] = [tkhd.readUInt32BE(76), tkhd.readUInt32BE(80)]
    const moves = [-Math.min(0, a * width, c * height), -Math.min(0, b * width, d * height)] as const
    const fixed = (value: number) => value * 0x10000
    ;[fixed(a), fixed(b), 0, fixed(c), fixed(d), 0, ...moves, 0x40000000].forEach((value, i) => changed.writeInt32BE(value, 40 + i * 4))
    return changed
  })
}

/**
 * For tests: joins two MP4s with one H.264 track each, of one time scale and size, to one track whose sample description changes in the
 * middle, as cameras write it.
 */
export function joinWithTwoSampleDescriptions(first: Buffer, second: Buffer): Buffer {
  const parts = [first, second].map(file => {
    const tables = findBox(file, 'moov', 'trak', 'mdia', 'minf', 'stbl')
    return { data: findBox(file, 'mdat'), count: findBox(tables, 'stsz').readUInt32BE(8), table: (type: string) => findBox(tables, type) }
  })
  const [a, b] = parts as [(typeof parts)[0], (typeof parts)[0]]
  const entriesOf = (part: typeof a, type: string) => part.table(type).subarray(8)
  const offsets = (part: typeof a) => (part.table('ctts').length > 0 ? entriesOf(part, 'ctts') : uint32Bytes([part.count, 0]))
  const joinTables = (type: string, entries: Buffer[], size: number) =>
    makeBox(type, uint32Bytes([0, entries.reduce((sum, { length }) => sum + length, 0) / size]), ...entries)
  const syncs = parts.flatMap((part, index) => {
    const entries = entriesOf(part, 'stss')
    return Array.from({ length: entries.length / 4 }, (_, i) => entries.readUInt32BE(i * 4) + (index === 0 ? 0 : a.count))
  })
  const makeTables = (offset: number) =>
    makeBox(
      'stbl',
      makeBox('stsd', uint32Bytes([0, 2]), a.table('stsd').subarray(8), b.table('stsd').subarray(8)),
      joinTables('stts', [entriesOf(a, 'stts'), entriesOf(b, 'stts')], 8),
      joinTables('ctts', [offsets(a), offsets(b)], 8),
      makeFullBox('stss', 0, 0, [syncs.length, ...syncs]),
      makeFullBox('stsc', 0, 0, [2, 1, a.count, 1, 2, b.count, 2]),
      makeBox('stsz', uint32Bytes([0, 0, a.count + b.count]), a.table('stsz').subarray(12), b.table('stsz').subarray(12)),
      makeFullBox('stco', 0, 0, [2, offset, offset + a.data.length])
    )
  const doubleDuration = (position: number) => (body: Buffer) => {
    const changed = Buffer.from(body)
    changed.writeUInt32BE(body.readUInt32BE(position) * 2, position)
    return changed
  }
  const makeMovie = (offset: number) => {
    let moov = makeBox('moov', findBox(first, 'moov'))
    moov = editBoxes(moov, ['moov', 'trak', 'mdia', 'minf'], minf =>
      Buffer.concat(listBoxes(minf).map(box => (box.type === 'stbl' ? makeTables(offset) : box.bytes)))
    )
    moov = editBoxes(moov, ['moov', 'trak'], trak =>
      Buffer.concat(listBoxes(trak).flatMap(box => (box.type === 'edts' ? [] : [box.bytes])))
    )
    moov = editBoxes(moov, ['moov', 'mvhd'], doubleDuration(16))
    moov = editBoxes(moov, ['moov', 'trak', 'tkhd'], doubleDuration(20))
    return editBoxes(moov, ['moov', 'trak', 'mdia', 'mdhd'], doubleDuration(16))
  }
  const ftyp = makeBox('ftyp', findBox(first, 'ftyp'))
  const movie = makeMovie(ftyp.length + makeMovie(0).length + 8)
  return Buffer.concat([ftyp, movie, makeBox('mdat', a.data, b.data)])
}

/** For tests: gives the sample entries of one type the name of another, and hides their decoder configuration; every one from `first` on. */
export function renameSampleEntries(file: Buffer, from: string, to: string, first = 0): Buffer {
  let number = 0
  return editBoxes(file, ['moov', 'trak', 'mdia', 'minf', 'stbl', 'stsd'], stsd => {
    if (stsd.toString('latin1', 12, 16) !== from || number++ < first) return stsd
    const changed = Buffer.from(stsd)
    changed.write(to, 12, 'latin1')
    const config = changed.indexOf('esds')
    if (config > 0) changed.write('free', config, 'latin1')
    return changed
  })
}

/** Replaces the bodies of all boxes at a path of types. */
function editBoxes(buffer: Buffer, [type, ...rest]: string[], edit: (body: Buffer) => Buffer): Buffer {
  return Buffer.concat(
    listBoxes(buffer).map(box => {
      if (box.type !== type) return box.bytes
      const body = box.bytes.subarray(8)
      return makeBox(box.type, rest.length === 0 ? edit(body) : editBoxes(body, rest, edit))
    })
  )
}

function listBoxes(buffer: Buffer): { type: string; bytes: Buffer }[] {
  const boxes: { type: string; bytes: Buffer }[] = []
  for (let offset = 0; offset + 8 <= buffer.length;) {
    const size = buffer.readUInt32BE(offset)
    if (size < 8) throw new Error(`A box of ${size} bytes at ${offset}`)
    boxes.push({ type: buffer.toString('latin1', offset + 4, offset + 8), bytes: buffer.subarray(offset, offset + size) })
    offset += size
  }
  return boxes
}
