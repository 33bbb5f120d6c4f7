/** For tests: the canvas and frames of a GIF to make. */
export type GifOptions = {
  width: number
  height: number
  frames: number
  /** Of every frame, in hundredths of a second. */
  delay?: number
  /** Frames show the canvas through, but for one pixel. */
  transparent?: boolean
  /** A comment block. */
  comment?: string
  trailer?: boolean
}

/** For tests: a GIF (GIF89a) that loops for ever, each of whose frames has one pixel of data, so that its size says nothing of the work. */
export function makeGif({
  width,
  height,
  frames,
  delay = 10,
  transparent = false,
  comment,
  trailer = true
}: GifOptions): Buffer<ArrayBuffer> {
  const uint16 = (value: number): Buffer => Buffer.from([value & 0xff, value >> 8])
  const colours = Buffer.from([255, 0, 0, 0, 0, 255])
  const loop = Buffer.concat([Buffer.from([0x21, 0xff, 0x0b]), Buffer.from('NETSCAPE2.0'), Buffer.from([3, 1, 0, 0, 0])])
  const control = Buffer.concat([Buffer.from([0x21, 0xf9, 4, transparent ? 5 : 4]), uint16(delay), Buffer.from([1, 0])])
  const pixel = Buffer.concat([Buffer.from([0x2c, 0, 0, 0, 0, 1, 0, 1, 0, 0]), Buffer.from([2, 2, 0x44, 1, 0])])
  const text = comment === undefined ? [] : [Buffer.from([0x21, 0xfe, comment.length]), Buffer.from(comment), Buffer.from([0])]
  return Buffer.concat([
    Buffer.from('GIF89a'),
    uint16(width),
    uint16(height),
    Buffer.from([0xf0, 0, 0]),
    colours,
    loop,
    ...text,
    ...Array.from({ length: frames }, () => Buffer.concat([control, pixel])),
    Buffer.from(trailer ? [0x3b] : [])
  ])
}
