import { DataTypes, Model, type CreationOptional, type InferAttributes, type InferCreationAttributes } from 'sequelize'
import { declareAssociations, declareModel } from '../core/database.ts'
import { Account } from '../actors/account.model.ts'
import { Actor } from '../actors/actor.model.ts'

/** What people follow: the videos of an account are published in its channels. */
export class Channel extends Model<InferAttributes<Channel>, InferCreationAttributes<Channel>> {
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
  Channel,
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
  Channel.belongsTo(Actor, { as: 'actor', foreignKey: 'actorId' })
  Actor.hasOne(Channel, { as: 'channel', foreignKey: 'actorId' })
  Channel.belongsTo(Account, { as: 'account', foreignKey: 'accountId' })
  Account.hasMany(Channel, { as: 'channels', foreignKey: 'accountId' })
})
