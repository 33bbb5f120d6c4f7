import { DataTypes, Model, type CreationOptional, type InferAttributes, type InferCreationAttributes } from 'sequelize'
import { declareAssociations, declareModel } from '../core/database.ts'
import { User } from './user.model.ts'

/** A session: one login, whose pair of tokens is replaced at every refresh. Only SHA-256 hashes are stored. */
export class Token extends Model<InferAttributes<Token>, InferCreationAttributes<Token>> {
  declare id: CreationOptional<number>
  declare accessTokenHash: string
  declare accessTokenExpiresAt: Date
  declare refreshTokenHash: string
  declare refreshTokenExpiresAt: Date
  declare userId: number
  /** When the user logged in. */
  declare createdAt: CreationOptional<Date>
  /** When the session was last seen, within `oauth2.activity_interval`. */
  declare updatedAt: CreationOptional<Date>
}
declareModel(
  Token,
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
  User.hasMany(Token, { as: 'tokens', foreignKey: 'userId' })
  Token.belongsTo(User, { as: 'user', foreignKey: 'userId' })
})
