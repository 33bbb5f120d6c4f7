import { DataTypes, Model, type CreationOptional, type InferAttributes, type InferCreationAttributes } from 'sequelize'
import { declareModel } from '../core/database.ts'

/** The image for lists (`thumbnail`) or for the player (`preview`); an `automatic` one is a frame of the video. */
export class ThumbnailModel extends Model<InferAttributes<ThumbnailModel>, InferCreationAttributes<ThumbnailModel>> {
  declare id: CreationOptional<number>
  declare videoId: number
  declare kind: 'thumbnail' | 'preview'
  declare filename: string
  declare width: number
  declare height: number
  declare automatic: boolean
  declare createdAt: CreationOptional<Date>
  declare updatedAt: CreationOptional<Date>
}
declareModel(
  ThumbnailModel,
  {
    id: { type: DataTypes.INTEGER, primaryKey: true, autoIncrement: true },
    videoId: DataTypes.INTEGER,
    kind: DataTypes.TEXT,
    filename: DataTypes.TEXT,
    width: DataTypes.INTEGER,
    height: DataTypes.INTEGER,
    automatic: DataTypes.BOOLEAN,
    createdAt: DataTypes.DATE,
    updatedAt: DataTypes.DATE
  },
  { tableName: 'thumbnails' }
)

/** A sprite sheet of frames for the seek bar; `spriteDuration` in seconds. */
export class StoryboardModel extends Model<InferAttributes<StoryboardModel>, InferCreationAttributes<StoryboardModel>> {
  declare videoId: number
  declare filename: string
  declare totalWidth: number
  declare totalHeight: number
  declare spriteWidth: number
  declare spriteHeight: number
  declare spriteDuration: number
  declare createdAt: CreationOptional<Date>
  declare updatedAt: CreationOptional<Date>
}
declareModel(
  StoryboardModel,
  {
    videoId: { type: DataTypes.INTEGER, primaryKey: true },
    filename: DataTypes.TEXT,
    totalWidth: DataTypes.INTEGER,
    totalHeight: DataTypes.INTEGER,
    spriteWidth: DataTypes.INTEGER,
    spriteHeight: DataTypes.INTEGER,
    spriteDuration: DataTypes.REAL,
    createdAt: DataTypes.DATE,
    updatedAt: DataTypes.DATE
  },
  { tableName: 'storyboards' }
)
