import { createHash, type Hash } from 'node:crypto'
import { open } from 'node:fs/promises'
import { bencode } from './bencode.ts'

/** The content of a torrent of one file: its bytes are `head` and then parts of stored files (offset `at`, `length`). */
export type TorrentContent = { head: Buffer; parts: { file: string; at: number; length: number }[]; size: number }
/** The bencoded info dictionary of a torrent (BEP 3), and its SHA-1 as 40 hexadecimal digits. */
export type TorrentInfo = { info: Buffer; infoHash: string }

const READ_BYTES = 1024 * 1024
/** Pieces are as short as possible, so that a peer soon has something to share, but a torrent has about this many at most. */
const MAX_PIECES = 2048
const MIN_PIECE_LENGTH = 64 * 1024
const MAX_PIECE_LENGTH = 16 * 1024 * 1024

/** Returns the bytes of a piece of a torrent of `size` bytes: a power of two. */
export function pieceLength(size: number): number {
  let length = MIN_PIECE_LENGTH
  while (length < MAX_PIECE_LENGTH && size / length > MAX_PIECES) length *= 2
  return length
}

/**
 * Reads the content once and returns the info dictionary of a torrent with this one file. The content is not held in memory. Throws if a
 * file is missing or shorter than its parts, and the reason of `signal` when that aborts.
 */
export async function makeTorrentInfo(name: string, content: TorrentContent, signal?: AbortSignal): Promise<TorrentInfo> {
  const length = pieceLength(content.size)
  const pieces = new PieceHashes(length)
  pieces.add(content.head)
  const buffer = Buffer.allocUnsafe(READ_BYTES)
  for (const part of content.parts) {
    const handle = await open(part.file, 'r')
    try {
      for (let done = 0; done < part.length;) {
        signal?.throwIfAborted()
        const { bytesRead } = await handle.read(buffer, 0, Math.min(buffer.length, part.length - done), part.at + done)
        if (bytesRead === 0) throw new RangeError(`${part.file} ends before ${part.at + part.length}`)
        pieces.add(buffer.subarray(0, bytesRead))
        done += bytesRead
      }
    } finally {
      await handle.close()
    }
  }
  const info = bencode({ length: content.size, name, 'piece length': length, pieces: pieces.end() })
  return { info, infoHash: createHash('sha1').update(info).digest('hex') }
}

/**
 * Returns a metainfo file (BEP 3): the stored info dictionary with the URLs where the whole file can be fetched (BEP 19) and those of its
 * trackers, each its own tier (BEP 12).
 */
export function makeMetainfo(info: Buffer, { webSeeds, trackers }: { webSeeds: string[]; trackers: string[] }): Buffer {
  return bencode({
    announce: trackers[0],
    'announce-list': trackers.length > 0 ? trackers.map(url => [url]) : undefined,
    info: { encoded: info },
    'url-list': webSeeds.length > 0 ? webSeeds : undefined
  })
}

class PieceHashes {
  private readonly digests: Buffer[] = []
  private current: Hash = createHash('sha1')
  private filled = 0
  private readonly length: number

  constructor(length: number) {
    this.length = length
  }

  add(bytes: Buffer): void {
    for (let at = 0; at < bytes.length;) {
      const count = Math.min(this.length - this.filled, bytes.length - at)
      this.current.update(bytes.subarray(at, at + count))
      this.filled += count
      at += count
      if (this.filled === this.length) this.finishPiece()
    }
  }

  end(): Buffer {
    if (this.filled > 0) this.finishPiece()
    return Buffer.concat(this.digests)
  }

  private finishPiece(): void {
    this.digests.push(this.current.digest())
    this.current = createHash('sha1')
    this.filled = 0
  }
}
