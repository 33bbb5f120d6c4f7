import { DataTypes, Model, type CreationOptional, type InferAttributes, type InferCreationAttributes } from 'sequelize'
import { declareModel } from '../core/database.ts'
import type { Picture } from '../videos/video-images.ts'
import type { Attributes } from '../videos/videos.ts'

/** What the first request of a resumable upload said of the video; dates are ISO texts. */
export type Announced = { channelId: number; fields: Record<keyof Attributes, unknown>; pictures: Picture[] }

/** A resumable upload; `videoId` says what became of it. Its bytes lie in `storage.uploads` under `filename`. */
export class Upload extends Model<InferAttributes<Upload>, InferCreationAttributes<Upload>> {
  declare id: string
  declare userId: number
  declare videoId: CreationOptional<number | null>
  declare filename: string
  declare originalName: string
  declare size: number
  declare attributes: Announced
  declare expiresAt: Date
  declare createdAt: CreationOptional<Date>
  declare updatedAt: CreationOptional<Date>
}
declareModel(
  Upload,
  {
    id: { type: DataTypes.TEXT, primaryKey: true },
    userId: DataTypes.INTEGER,
    videoId: DataTypes.INTEGER,
    filename: DataTypes.TEXT,
    originalName: DataTypes.TEXT,
    size: DataTypes.BIGINT,
    attributes: DataTypes.JSONB,
    expiresAt: DataTypes.DATE,
    createdAt: DataTypes.DATE,
    updatedAt: DataTypes.DATE
  },
  { tableName: 'uploads' }
)
