import { randomUUID } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { stat } from 'node:fs/promises'
import { DiskFile, DiskStorage, ERRORS, fail, MetaStorage, type FilePart, type FileQuery } from '@uploadx/core'
import { config, storageFolder } from '../core/config.ts'
import { UploadModel, type UploadMetadata } from './upload.model.ts'

/** Keeps what is known of an upload in its row, so that any process and any restart finds it. */
class RowMeta extends MetaStorage<DiskFile> {
  override async save(id: string, file: DiskFile): Promise<DiskFile> {
    const known = await UploadModel.findByPk(id)
    if (known) await known.update({ expiresAt: expiry() })
    else {
      await UploadModel.create({
        id,
        userId: Number(file.userId),
        filename: file.name,
        originalName: file.originalName,
        size: Number(file.size),
        attributes: (file.metadata as { announced: UploadMetadata }).announced,
        expiresAt: expiry()
      })
    }
    return file
  }

  override async touch(id: string, file: DiskFile): Promise<DiskFile> {
    await UploadModel.update({ expiresAt: expiry() }, { where: { id } })
    return file
  }

  override async get(id: string): Promise<DiskFile> {
    const row = await UploadModel.findByPk(id)
    if (!row || row.videoId !== null) return fail(ERRORS.FILE_NOT_FOUND)
    const file = new DiskFile({ metadata: {}, originalName: row.originalName, size: Number(row.size), userId: String(row.userId) })
    return Object.assign(file, { id, name: row.filename, status: 'part', createdAt: row.createdAt, expiredAt: row.expiresAt })
  }

  override async delete(id: string): Promise<void> {
    await UploadModel.destroy({ where: { id, videoId: null } })
  }
}

/** Writes the pieces of resumable uploads into `storage.uploads`, in order and without holes. */
export class UploadStorage extends DiskStorage {
  constructor() {
    mkdirSync(storageFolder('uploads'), { recursive: true })
    super({
      uploadDir: storageFolder('uploads'),
      maxFileSize: config.upload.max_size < 0 ? Number.MAX_SAFE_INTEGER : config.upload.max_size,
      namingFunction: () => randomUUID(),
      useRelativeLocation: true
    })
    this.meta = new RowMeta()
    // The folder is there: without this the first pieces after a start are refused with 503.
    this.isReady = true
  }

  // Another process may have changed the row since.
  override async getMeta(id: string): Promise<DiskFile> {
    this.cache.delete(id)
    return await super.getMeta(id)
  }

  override async write(part: FilePart | FileQuery): Promise<DiskFile> {
    const piece = part as FilePart
    const have = await this.received(piece.id)
    // A piece that leaves a hole is not written: the answer says how far the file goes.
    const hole = piece.body !== undefined && Number(piece.start) > have
    if (hole) piece.body.resume()
    const file = await super.write(hole ? { id: piece.id } : part)
    return file.bytesWritten === file.size ? { ...file, status: 'completed' } : file
  }

  /** Bytes of an upload that lie on disk. */
  async received(id: string): Promise<number> {
    const file = await this.getMeta(id)
    return await stat(this.getFilePath(file.name)).then(
      found => found.size,
      () => 0
    )
  }
}

function expiry(): Date {
  return new Date(Date.now() + config.upload.expiration)
}
