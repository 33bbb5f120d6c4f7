import { DataTypes, Model, type CreationOptional, type InferAttributes, type InferCreationAttributes } from 'sequelize'
import { declareModel } from '../core/database.ts'
import type { PreparedVideoImage } from '../videos/video-images.ts'
import type { VideoAttributes } from '../videos/videos.ts'

/** The video attributes from the first request of a resumable upload; dates are ISO 8601 strings. */
export type UploadMetadata = { channelId: number; fields: Partial<Record<keyof VideoAttributes, unknown>>; pictures: PreparedVideoImage[] }

/** A resumable upload; `videoId` is set when it has become a video, which may have been deleted since. Its bytes are in `storage.uploads` under `filename`. */
export class UploadModel extends Model<InferAttributes<UploadModel>, InferCreationAttributes<UploadModel>> {
  declare id: string
  declare userId: number
  declare videoId: CreationOptional<number | null>
  declare filename: string
  declare originalName: string
  declare size: number
  /** Bytes on disk, as of the last count; the size of the file is exact. */
  declare received: CreationOptional<number>
  /** The request that may write to the file (receive-chunk.ts). */
  declare writer: CreationOptional<string | null>
  declare attributes: UploadMetadata
  declare expiresAt: Date
  declare createdAt: CreationOptional<Date>
  declare updatedAt: CreationOptional<Date>
}
declareModel(
  UploadModel,
  {
    id: { type: DataTypes.TEXT, primaryKey: true },
    userId: DataTypes.INTEGER,
    videoId: DataTypes.INTEGER,
    filename: DataTypes.TEXT,
    originalName: DataTypes.TEXT,
    size: DataTypes.BIGINT,
    received: { type: DataTypes.BIGINT, defaultValue: 0 },
    writer: DataTypes.UUID,
    attributes: DataTypes.JSONB,
    expiresAt: DataTypes.DATE,
    createdAt: DataTypes.DATE,
    updatedAt: DataTypes.DATE
  },
  { tableName: 'uploads' }
)
