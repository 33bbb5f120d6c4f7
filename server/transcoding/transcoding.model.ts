import { DataTypes, Model, type CreationOptional, type InferAttributes, type InferCreationAttributes } from 'sequelize'
import { declareModel } from '../core/database.ts'

/** The encoding a video still needs or had; the queue is derived from these rows. */
export class Transcoding extends Model<InferAttributes<Transcoding>, InferCreationAttributes<Transcoding>> {
  declare videoId: number
  declare state: 'waiting' | 'running' | 'done' | 'failed'
  /** Failed attempts. */
  declare attempts: CreationOptional<number>
  declare notBefore: Date
  /** The renditions the video will have, short side in pixels; 0 is audio. */
  declare resolutions: CreationOptional<number[]>
  /** Why it failed, for the owner to read. */
  declare error: CreationOptional<string | null>
  declare createdAt: CreationOptional<Date>
  declare updatedAt: CreationOptional<Date>
}
declareModel(Transcoding, {
  videoId: { type: DataTypes.INTEGER, primaryKey: true }, state: DataTypes.TEXT, attempts: DataTypes.SMALLINT, notBefore: DataTypes.DATE,
  resolutions: DataTypes.ARRAY(DataTypes.INTEGER), error: DataTypes.TEXT, createdAt: DataTypes.DATE, updatedAt: DataTypes.DATE
}, { tableName: 'transcodings' })
