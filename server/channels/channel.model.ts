import { DataTypes, Model, type CreationOptional, type InferAttributes, type InferCreationAttributes } from 'sequelize'
import { declareAssociations, declareModel } from '../core/database.ts'
import { AccountModel } from '../actors/account.model.ts'
import { ActorModel } from '../actors/actor.model.ts'

/** A channel: the videos of an account are published in its channels, which users follow. */
export class ChannelModel extends Model<InferAttributes<ChannelModel>, InferCreationAttributes<ChannelModel>> {
  declare id: CreationOptional<number>
  declare actorId: number
  declare accountId: number
  /** The display name. */
  declare name: string
  declare description: CreationOptional<string | null>
  declare support: CreationOptional<string | null>
  declare createdAt: CreationOptional<Date>
  declare updatedAt: CreationOptional<Date>
}
declareModel(
  ChannelModel,
  {
    id: { type: DataTypes.INTEGER, primaryKey: true, autoIncrement: true },
    actorId: DataTypes.INTEGER,
    accountId: DataTypes.INTEGER,
    name: DataTypes.TEXT,
    description: DataTypes.TEXT,
    support: DataTypes.TEXT,
    createdAt: DataTypes.DATE,
    updatedAt: DataTypes.DATE
  },
  { tableName: 'channels' }
)
declareAssociations(() => {
  ChannelModel.belongsTo(ActorModel, { as: 'actor', foreignKey: 'actorId' })
  ActorModel.hasOne(ChannelModel, { as: 'channel', foreignKey: 'actorId' })
  ChannelModel.belongsTo(AccountModel, { as: 'account', foreignKey: 'accountId' })
  AccountModel.hasMany(ChannelModel, { as: 'channels', foreignKey: 'accountId' })
})
