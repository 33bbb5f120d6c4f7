import { DataTypes, Model, type CreationOptional, type InferAttributes, type InferCreationAttributes } from 'sequelize'
import { TranscodingPriority } from '../../shared/transcoding.ts'
import { declareModel } from '../core/database.ts'

/** The pending, running or finished encoding of a video; the queue is derived from these rows. */
export class TranscodingModel extends Model<InferAttributes<TranscodingModel>, InferCreationAttributes<TranscodingModel>> {
  declare videoId: number
  declare state: 'waiting' | 'running' | 'done' | 'failed'
  /** Failed attempts. */
  declare attempts: CreationOptional<number>
  declare notBefore: Date
  /** The renditions the video will have, short side in pixels; 0 is audio. */
  declare resolutions: CreationOptional<number[]>
  /** Why it failed, as a text for the owner. */
  declare error: CreationOptional<string | null>
  /** The cost (media/encoding-cost.ts), by which the queue is ordered. */
  declare cost: CreationOptional<number>
  /** Set by an administrator: 1 comes before all others, -1 behind them. */
  declare priority: CreationOptional<number>
  /** Seconds of encoding, without paused time. */
  declare spent: CreationOptional<number>
  declare createdAt: CreationOptional<Date>
  declare updatedAt: CreationOptional<Date>
}
declareModel(
  TranscodingModel,
  {
    videoId: { type: DataTypes.INTEGER, primaryKey: true },
    state: DataTypes.TEXT,
    attempts: DataTypes.SMALLINT,
    notBefore: DataTypes.DATE,
    resolutions: DataTypes.ARRAY(DataTypes.INTEGER),
    error: DataTypes.TEXT,
    cost: DataTypes.DOUBLE,
    priority: DataTypes.SMALLINT,
    spent: DataTypes.REAL,
    createdAt: DataTypes.DATE,
    updatedAt: DataTypes.DATE
  },
  { tableName: 'transcodings' }
)

/** What a priority is in a row: as far from `normal` as it stands in the list of them. */
export function priorityToNumber(priority: TranscodingPriority): number {
  return TranscodingPriority.options.indexOf(priority) - 1
}

/** The priority a row has. */
export function priorityFromNumber(number: number): TranscodingPriority {
  return TranscodingPriority.options[number + 1] ?? 'normal'
}
