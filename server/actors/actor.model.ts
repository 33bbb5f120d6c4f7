import { DataTypes, Model, type CreationOptional, type InferAttributes, type InferCreationAttributes } from 'sequelize'
import { declareAssociations, declareModel } from '../core/database.ts'

/** An ActivityPub actor: an account (Person), a channel (Group) or an instance (Application). `host` is null for local actors. */
export class ActorModel extends Model<InferAttributes<ActorModel>, InferCreationAttributes<ActorModel>> {
  declare id: CreationOptional<number>
  declare type: 'Person' | 'Group' | 'Application' | 'Service' | 'Organization'
  declare url: string
  declare preferredUsername: string
  declare host: CreationOptional<string | null>
  /** PEM, SPKI. */
  declare publicKey: CreationOptional<string | null>
  /** PEM, PKCS #8; only of local actors. */
  declare privateKey: CreationOptional<string | null>
  declare inboxUrl: string
  declare outboxUrl: CreationOptional<string | null>
  declare sharedInboxUrl: CreationOptional<string | null>
  declare followersUrl: CreationOptional<string | null>
  declare followingUrl: CreationOptional<string | null>
  declare followersCount: CreationOptional<number>
  declare followingCount: CreationOptional<number>
  declare remoteCreatedAt: CreationOptional<Date | null>
  /** Remote actors only: the id of the key, and when the document was last fetched. */
  declare keyId: CreationOptional<string | null>
  declare refreshedAt: CreationOptional<Date | null>
  declare createdAt: CreationOptional<Date>
  declare updatedAt: CreationOptional<Date>
}
declareModel(
  ActorModel,
  {
    id: { type: DataTypes.INTEGER, primaryKey: true, autoIncrement: true },
    type: DataTypes.TEXT,
    url: DataTypes.TEXT,
    preferredUsername: DataTypes.TEXT,
    host: DataTypes.TEXT,
    publicKey: DataTypes.TEXT,
    privateKey: DataTypes.TEXT,
    inboxUrl: DataTypes.TEXT,
    outboxUrl: DataTypes.TEXT,
    sharedInboxUrl: DataTypes.TEXT,
    followersUrl: DataTypes.TEXT,
    followingUrl: DataTypes.TEXT,
    followersCount: DataTypes.INTEGER,
    followingCount: DataTypes.INTEGER,
    remoteCreatedAt: DataTypes.DATE,
    keyId: DataTypes.TEXT,
    refreshedAt: DataTypes.DATE,
    createdAt: DataTypes.DATE,
    updatedAt: DataTypes.DATE
  },
  { tableName: 'actors' }
)

/** One size of an actor's avatar or banner; the file is in storage.avatars or storage.banners. */
export class ActorImageModel extends Model<InferAttributes<ActorImageModel>, InferCreationAttributes<ActorImageModel>> {
  declare id: CreationOptional<number>
  declare actorId: number
  declare kind: 'avatar' | 'banner'
  declare filename: string
  declare width: number
  declare height: number
  declare createdAt: CreationOptional<Date>
  declare updatedAt: CreationOptional<Date>
}
declareModel(
  ActorImageModel,
  {
    id: { type: DataTypes.INTEGER, primaryKey: true, autoIncrement: true },
    actorId: DataTypes.INTEGER,
    kind: DataTypes.TEXT,
    filename: DataTypes.TEXT,
    width: DataTypes.INTEGER,
    height: DataTypes.INTEGER,
    createdAt: DataTypes.DATE,
    updatedAt: DataTypes.DATE
  },
  { tableName: 'actor_images' }
)
declareAssociations(() => {
  ActorModel.hasMany(ActorImageModel, { as: 'images', foreignKey: 'actorId' })
  ActorImageModel.belongsTo(ActorModel, { as: 'actor', foreignKey: 'actorId' })
})
