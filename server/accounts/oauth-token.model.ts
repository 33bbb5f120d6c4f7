import { DataTypes, Model, type CreationOptional, type InferAttributes, type InferCreationAttributes } from 'sequelize'
import { declareAssociations, declareModel } from '../core/database.ts'
import { UserModel } from './user.model.ts'

/** A session: one login, whose pair of tokens is replaced at every refresh. Tokens are stored as SHA-256 hashes only. */
export class OAuthTokenModel extends Model<InferAttributes<OAuthTokenModel>, InferCreationAttributes<OAuthTokenModel>> {
  declare id: CreationOptional<number>
  declare accessTokenHash: string
  declare accessTokenExpiresAt: Date
  declare refreshTokenHash: string
  declare refreshTokenExpiresAt: Date
  declare userId: number
  /** When the user logged in. */
  declare createdAt: CreationOptional<Date>
  /** When the session was last used, with a precision of `oauth2.activity_interval`. */
  declare updatedAt: CreationOptional<Date>
}
declareModel(
  OAuthTokenModel,
  {
    id: { type: DataTypes.INTEGER, primaryKey: true, autoIncrement: true },
    accessTokenHash: DataTypes.TEXT,
    accessTokenExpiresAt: DataTypes.DATE,
    refreshTokenHash: DataTypes.TEXT,
    refreshTokenExpiresAt: DataTypes.DATE,
    userId: DataTypes.INTEGER,
    createdAt: DataTypes.DATE,
    updatedAt: DataTypes.DATE
  },
  { tableName: 'oauth_tokens' }
)
declareAssociations(() => {
  UserModel.hasMany(OAuthTokenModel, { as: 'tokens', foreignKey: 'userId' })
  OAuthTokenModel.belongsTo(UserModel, { as: 'user', foreignKey: 'userId' })
})
