import { randomUUID } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { stat } from 'node:fs/promises'
import { DiskFile, DiskStorage, ERRORS, fail, MetaStorage, type FilePart, type FileQuery } from '@uploadx/core'
import { config, storageFolder } from '../core/config.ts'
import { UploadModel, type UploadMetadata } from './upload.model.ts'

/** Stores the state of an upload in its row, so that every process can continue it, also after a restart. */
class RowMetaStorage extends MetaStorage<DiskFile> {
  override async save(id: string, file: DiskFile): Promise<DiskFile> {
    const row = await UploadModel.findByPk(id)
    if (row) await row.update({ expiresAt: newExpiry() })
    else {
      await UploadModel.create({
        id,
        userId: Number(file.userId),
        filename: file.name,
        originalName: file.originalName,
        size: Number(file.size),
        attributes: (file.metadata as { announced: UploadMetadata }).announced,
        expiresAt: newExpiry()
      })
    }
    return file
  }

  override async touch(id: string, file: DiskFile): Promise<DiskFile> {
    await UploadModel.update({ expiresAt: newExpiry() }, { where: { id } })
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

/** Writes the chunks of resumable uploads into `storage.uploads`, in order and without gaps. */
export class UploadStorage extends DiskStorage {
  constructor() {
    mkdirSync(storageFolder('uploads'), { recursive: true })
    super({
      uploadDir: storageFolder('uploads'),
      maxFileSize: config.upload.max_size < 0 ? Number.MAX_SAFE_INTEGER : config.upload.max_size,
      namingFunction: () => randomUUID(),
      useRelativeLocation: true
    })
    this.meta = new RowMetaStorage()
    // The folder exists: without this the first chunks after a start are refused with 503.
    this.isReady = true
  }

  // Another process may have changed the row meanwhile.
  override async getMeta(id: string): Promise<DiskFile> {
    this.cache.delete(id)
    return await super.getMeta(id)
  }

  override async write(part: FilePart | FileQuery): Promise<DiskFile> {
    const chunk = part as FilePart
    const receivedBytes = await this.received(chunk.id)
    // A chunk that would leave a gap is not written: the response states how many bytes are stored.
    const leavesGap = chunk.body !== undefined && Number(chunk.start) > receivedBytes
    if (leavesGap) chunk.body.resume()
    const file = await super.write(leavesGap ? { id: chunk.id } : part)
    return file.bytesWritten === file.size ? { ...file, status: 'completed' } : file
  }

  /** The number of bytes of an upload on disk. */
  async received(id: string): Promise<number> {
    const file = await this.getMeta(id)
    return await stat(this.getFilePath(file.name)).then(
      stats => stats.size,
      () => 0
    )
  }
}

function newExpiry(): Date {
  return new Date(Date.now() + config.upload.expiration)
}
