import { DataTypes, Model, type CreationOptional, type InferAttributes, type InferCreationAttributes } from 'sequelize'
import { declareAssociations, declareModel } from '../core/database.ts'
import { ChannelModel } from '../channels/channel.model.ts'
import type { CollectionLinks } from './video-object.ts'

/** Who may watch a video; the numbers are those of PeerTube's API. */
export const VIDEO_PRIVACY = { PUBLIC: 1, UNLISTED: 2, PRIVATE: 3, INTERNAL: 4, PASSWORD: 5 } as const
/** Processing state of a video; the numbers are those of PeerTube's API. */
export const VIDEO_STATE = { PUBLISHED: 1, TO_TRANSCODE: 2, TRANSCODING_FAILED: 7 } as const

/** A video of this instance or a copy of a remote one's metadata. */
export class VideoModel extends Model<InferAttributes<VideoModel>, InferCreationAttributes<VideoModel>> {
  declare id: CreationOptional<number>
  declare uuid: string
  declare url: string
  declare remote: CreationOptional<boolean>
  declare channelId: number
  declare name: string
  declare description: CreationOptional<string | null>
  declare support: CreationOptional<string | null>
  declare category: CreationOptional<number | null>
  declare licence: CreationOptional<number | null>
  declare language: CreationOptional<string | null>
  declare tags: CreationOptional<string[]>
  declare nsfw: CreationOptional<boolean>
  declare privacy: number
  declare state: number
  declare waitTranscoding: CreationOptional<boolean>
  declare commentsPolicy: number
  declare downloadEnabled: CreationOptional<boolean>
  /** Seconds. */
  declare duration: CreationOptional<number>
  declare aspectRatio: CreationOptional<number | null>
  declare views: CreationOptional<number>
  declare likes: CreationOptional<number>
  declare dislikes: CreationOptional<number>
  declare comments: CreationOptional<number>
  declare publishedAt: Date
  declare originallyPublishedAt: CreationOptional<Date | null>
  declare inputFileUpdatedAt: CreationOptional<Date | null>
  declare scheduleAt: CreationOptional<Date | null>
  declare schedulePrivacy: CreationOptional<number | null>
  declare nsfwSummary: CreationOptional<string | null>
  declare isLive: CreationOptional<boolean>
  /** Whether the video was announced to followers; local videos only. */
  declare federated: CreationOptional<boolean>
  /** `updated` of the last document received; remote videos only. */
  declare remoteUpdatedAt: CreationOptional<Date | null>
  /** Fetches of the document without an answer, in a row; when the next is tried; remote videos only. */
  declare refreshAttempts: CreationOptional<number>
  declare refreshNotBefore: CreationOptional<Date | null>
  /** Since when the origin refuses to show it, and the privacy it had before it was hidden for that (forbidden-videos.ts). */
  declare forbiddenSince: CreationOptional<Date | null>
  declare forbiddenPrivacy: CreationOptional<number | null>
  /** Of the document that was stored last, without what counts; remote videos only. */
  declare remoteDigest: CreationOptional<string | null>
  /** When the origin was last queried, or the last document was received; remote videos only. */
  declare refreshedAt: CreationOptional<Date | null>
  /** URLs of the collections (likes, comments, chapters, …); remote videos only. */
  declare collections: CreationOptional<CollectionLinks | null>
  /** Since when a remote video that its origin deleted is hidden but retained (retention.ts). */
  declare goneAt: CreationOptional<Date | null>
  /** When the collections of a remote video are to be fetched; null when they are up to date. */
  declare aroundDueAt: CreationOptional<Date | null>
  declare trackerUrls: CreationOptional<string[]>
  declare createdAt: CreationOptional<Date>
  declare updatedAt: CreationOptional<Date>
}
declareModel(
  VideoModel,
  {
    id: { type: DataTypes.INTEGER, primaryKey: true, autoIncrement: true },
    uuid: DataTypes.UUID,
    url: DataTypes.TEXT,
    remote: DataTypes.BOOLEAN,
    channelId: DataTypes.INTEGER,
    name: DataTypes.TEXT,
    description: DataTypes.TEXT,
    support: DataTypes.TEXT,
    category: DataTypes.SMALLINT,
    licence: DataTypes.SMALLINT,
    language: DataTypes.TEXT,
    tags: DataTypes.ARRAY(DataTypes.TEXT),
    nsfw: DataTypes.BOOLEAN,
    privacy: DataTypes.SMALLINT,
    state: DataTypes.SMALLINT,
    waitTranscoding: DataTypes.BOOLEAN,
    commentsPolicy: DataTypes.SMALLINT,
    downloadEnabled: DataTypes.BOOLEAN,
    duration: DataTypes.DOUBLE,
    aspectRatio: DataTypes.REAL,
    views: DataTypes.BIGINT,
    likes: DataTypes.INTEGER,
    dislikes: DataTypes.INTEGER,
    comments: DataTypes.INTEGER,
    publishedAt: DataTypes.DATE,
    originallyPublishedAt: DataTypes.DATE,
    inputFileUpdatedAt: DataTypes.DATE,
    scheduleAt: DataTypes.DATE,
    schedulePrivacy: DataTypes.SMALLINT,
    nsfwSummary: DataTypes.TEXT,
    isLive: DataTypes.BOOLEAN,
    federated: DataTypes.BOOLEAN,
    remoteUpdatedAt: DataTypes.DATE,
    refreshAttempts: DataTypes.INTEGER,
    refreshNotBefore: DataTypes.DATE,
    forbiddenSince: DataTypes.DATE,
    forbiddenPrivacy: DataTypes.SMALLINT,
    remoteDigest: DataTypes.TEXT,
    refreshedAt: DataTypes.DATE,
    collections: DataTypes.JSONB,
    goneAt: DataTypes.DATE,
    aroundDueAt: DataTypes.DATE,
    trackerUrls: DataTypes.ARRAY(DataTypes.TEXT),
    createdAt: DataTypes.DATE,
    updatedAt: DataTypes.DATE
  },
  { tableName: 'videos' }
)
declareAssociations(() => {
  VideoModel.belongsTo(ChannelModel, { as: 'channel', foreignKey: 'channelId' })
  ChannelModel.hasMany(VideoModel, { as: 'videos', foreignKey: 'channelId' })
})

/** A password of a video of privacy PASSWORD. */
export class VideoPasswordModel extends Model<InferAttributes<VideoPasswordModel>, InferCreationAttributes<VideoPasswordModel>> {
  declare id: CreationOptional<number>
  declare videoId: number
  declare password: string
  declare createdAt: CreationOptional<Date>
  declare updatedAt: CreationOptional<Date>
}
declareModel(
  VideoPasswordModel,
  {
    id: { type: DataTypes.INTEGER, primaryKey: true, autoIncrement: true },
    videoId: DataTypes.INTEGER,
    password: DataTypes.TEXT,
    createdAt: DataTypes.DATE,
    updatedAt: DataTypes.DATE
  },
  { tableName: 'video_passwords' }
)
