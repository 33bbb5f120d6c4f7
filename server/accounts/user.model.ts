import { DataTypes, Model, type CreationOptional, type InferAttributes, type InferCreationAttributes } from 'sequelize'
import { declareAssociations, declareModel } from '../core/database.ts'
import { AccountModel } from '../actors/account.model.ts'

/** Roles with the numbers of PeerTube. */
export const USER_ROLE = { ADMINISTRATOR: 0, MODERATOR: 1, USER: 2 } as const
/** The number of a role. */
export type UserRole = 0 | 1 | 2
/** The name of the administrator every instance has: it cannot be blocked, removed or lose its role. */
export const ROOT_USERNAME = 'root'

/** A user with a login; its public profile is its Account. */
export class UserModel extends Model<InferAttributes<UserModel>, InferCreationAttributes<UserModel>> {
  declare id: CreationOptional<number>
  declare username: string
  declare email: string
  declare passwordHash: string
  declare role: UserRole
  declare emailVerified: CreationOptional<boolean | null>
  declare emailPublic: CreationOptional<boolean>
  declare blocked: CreationOptional<boolean>
  declare blockedReason: CreationOptional<string | null>
  declare adminFlags: CreationOptional<number>
  /** Bytes; -1 is no limit. */
  declare videoQuota: CreationOptional<number>
  /** Bytes in 24 hours; -1 is no limit. */
  declare videoQuotaDaily: CreationOptional<number>
  declare nsfwPolicy: 'display' | 'blur' | 'do_not_list'
  declare p2pEnabled: CreationOptional<boolean>
  declare videosHistoryEnabled: CreationOptional<boolean>
  declare autoPlayVideo: CreationOptional<boolean>
  declare autoPlayNextVideo: CreationOptional<boolean>
  declare autoPlayNextVideoPlaylist: CreationOptional<boolean>
  declare videoLanguages: CreationOptional<string[] | null>
  declare language: CreationOptional<string | null>
  declare theme: CreationOptional<string>
  declare noInstanceConfigWarningModal: CreationOptional<boolean>
  declare noWelcomeModal: CreationOptional<boolean>
  declare noAccountSetupWarningModal: CreationOptional<boolean>
  declare lastLoginDate: CreationOptional<Date | null>
  declare createdAt: CreationOptional<Date>
  declare updatedAt: CreationOptional<Date>
}
declareModel(
  UserModel,
  {
    id: { type: DataTypes.INTEGER, primaryKey: true, autoIncrement: true },
    username: DataTypes.TEXT,
    email: DataTypes.TEXT,
    passwordHash: DataTypes.TEXT,
    role: DataTypes.SMALLINT,
    emailVerified: DataTypes.BOOLEAN,
    emailPublic: DataTypes.BOOLEAN,
    blocked: DataTypes.BOOLEAN,
    blockedReason: DataTypes.TEXT,
    adminFlags: DataTypes.INTEGER,
    videoQuota: bytesColumn('videoQuota'),
    videoQuotaDaily: bytesColumn('videoQuotaDaily'),
    nsfwPolicy: DataTypes.TEXT,
    p2pEnabled: { type: DataTypes.BOOLEAN, field: 'p2p_enabled' },
    videosHistoryEnabled: DataTypes.BOOLEAN,
    autoPlayVideo: DataTypes.BOOLEAN,
    autoPlayNextVideo: DataTypes.BOOLEAN,
    autoPlayNextVideoPlaylist: DataTypes.BOOLEAN,
    videoLanguages: DataTypes.ARRAY(DataTypes.TEXT),
    language: DataTypes.TEXT,
    theme: DataTypes.TEXT,
    noInstanceConfigWarningModal: DataTypes.BOOLEAN,
    noWelcomeModal: DataTypes.BOOLEAN,
    noAccountSetupWarningModal: DataTypes.BOOLEAN,
    lastLoginDate: DataTypes.DATE,
    createdAt: DataTypes.DATE,
    updatedAt: DataTypes.DATE
  },
  { tableName: 'users' }
)
declareAssociations(() => {
  UserModel.hasOne(AccountModel, { as: 'account', foreignKey: 'userId' })
  AccountModel.belongsTo(UserModel, { as: 'user', foreignKey: 'userId' })
})

// The driver returns bigint as text; byte counts fit a number.
function bytesColumn(name: 'videoQuota' | 'videoQuotaDaily') {
  return {
    type: DataTypes.BIGINT,
    get(this: UserModel): number {
      return Number(this.getDataValue(name))
    }
  }
}
