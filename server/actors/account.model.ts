import { DataTypes, Model, type CreationOptional, type InferAttributes, type InferCreationAttributes } from 'sequelize'
import { declareAssociations, declareModel } from '../core/database.ts'
import { ActorModel } from './actor.model.ts'

/** An account: the display name and description of an actor that is no channel; `userId` is set for users of this instance. */
export class AccountModel extends Model<InferAttributes<AccountModel>, InferCreationAttributes<AccountModel>> {
  declare id: CreationOptional<number>
  declare actorId: number
  declare userId: CreationOptional<number | null>
  /** The display name. */
  declare name: string
  declare description: CreationOptional<string | null>
  declare createdAt: CreationOptional<Date>
  declare updatedAt: CreationOptional<Date>
}
declareModel(
  AccountModel,
  {
    id: { type: DataTypes.INTEGER, primaryKey: true, autoIncrement: true },
    actorId: DataTypes.INTEGER,
    userId: DataTypes.INTEGER,
    name: DataTypes.TEXT,
    description: DataTypes.TEXT,
    createdAt: DataTypes.DATE,
    updatedAt: DataTypes.DATE
  },
  { tableName: 'accounts' }
)
declareAssociations(() => {
  AccountModel.belongsTo(ActorModel, { as: 'actor', foreignKey: 'actorId' })
  ActorModel.hasOne(AccountModel, { as: 'account', foreignKey: 'actorId' })
})
