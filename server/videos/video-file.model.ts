import { DataTypes, Model, type CreationOptional, type InferAttributes, type InferCreationAttributes } from 'sequelize'
import { declareModel } from '../core/database.ts'

/** The uploaded file; `filename` is null once it was deleted from the storage. */
export class VideoSourceModel extends Model<InferAttributes<VideoSourceModel>, InferCreationAttributes<VideoSourceModel>> {
  declare videoId: number
  declare inputFilename: string
  declare filename: string | null
  declare size: number
  declare width: CreationOptional<number | null>
  declare height: CreationOptional<number | null>
  declare fps: CreationOptional<number | null>
  declare resolution: CreationOptional<number | null>
  /** Output of ffprobe, for the API. */
  declare metadata: CreationOptional<object | null>
  /** Result of server/media/probe.ts, for the transcoding. */
  declare probe: CreationOptional<object | null>
  declare createdAt: CreationOptional<Date>
  declare updatedAt: CreationOptional<Date>
}
declareModel(
  VideoSourceModel,
  {
    videoId: { type: DataTypes.INTEGER, primaryKey: true },
    inputFilename: DataTypes.TEXT,
    filename: DataTypes.TEXT,
    size: DataTypes.BIGINT,
    width: DataTypes.INTEGER,
    height: DataTypes.INTEGER,
    fps: DataTypes.REAL,
    resolution: DataTypes.INTEGER,
    metadata: DataTypes.JSONB,
    probe: DataTypes.JSONB,
    createdAt: DataTypes.DATE,
    updatedAt: DataTypes.DATE
  },
  { tableName: 'video_sources' }
)

/** The HLS master playlist of a video. */
export class StreamingPlaylistModel extends Model<
  InferAttributes<StreamingPlaylistModel>,
  InferCreationAttributes<StreamingPlaylistModel>
> {
  declare id: CreationOptional<number>
  declare videoId: number
  declare playlistFilename: string
  declare segmentsSha256Filename: CreationOptional<string | null>
  declare createdAt: CreationOptional<Date>
  declare updatedAt: CreationOptional<Date>
}
declareModel(
  StreamingPlaylistModel,
  {
    id: { type: DataTypes.INTEGER, primaryKey: true, autoIncrement: true },
    videoId: DataTypes.INTEGER,
    playlistFilename: DataTypes.TEXT,
    segmentsSha256Filename: DataTypes.TEXT,
    createdAt: DataTypes.DATE,
    updatedAt: DataTypes.DATE
  },
  { tableName: 'streaming_playlists' }
)

/** A rendition; `growing` while it is being encoded, when its playlist has no end yet. */
export class VideoFileModel extends Model<InferAttributes<VideoFileModel>, InferCreationAttributes<VideoFileModel>> {
  declare id: CreationOptional<number>
  declare streamingPlaylistId: number
  /** Short side in pixels; 0 is audio only. */
  declare resolution: number
  /** Number of the audio track where there are several (0: the default one), its language (BCP 47; null: unknown) and its name. */
  declare track: CreationOptional<number>
  declare language: CreationOptional<string | null>
  declare trackName: CreationOptional<string | null>
  declare width: number | null
  declare height: number | null
  declare fps: number
  declare size: CreationOptional<number>
  /** Size in bytes of the rendition as one MP4 with its audio (send-progressive-mp4.ts); null while it grows. */
  declare wholeSize: CreationOptional<number | null>
  /** Its id as one MP4; `id` is that of the HLS file. */
  declare webVideoId: CreationOptional<number>
  /** Whether it is offered as an HLS file, and as one MP4. */
  declare hls: CreationOptional<boolean>
  declare webVideo: CreationOptional<boolean>
  declare filename: string
  declare playlistFilename: string
  declare hasAudio: boolean
  declare hasVideo: boolean
  /** Bits per second of the largest segment, and on average, including the audio that is played with it (RFC 8216). */
  declare bandwidth: CreationOptional<number>
  declare averageBandwidth: CreationOptional<number>
  declare codecs: CreationOptional<string>
  declare growing: CreationOptional<boolean>
  declare metadata: CreationOptional<object | null>
  declare createdAt: CreationOptional<Date>
  declare updatedAt: CreationOptional<Date>
}
declareModel(
  VideoFileModel,
  {
    id: { type: DataTypes.INTEGER, primaryKey: true, autoIncrement: true },
    streamingPlaylistId: DataTypes.INTEGER,
    resolution: DataTypes.INTEGER,
    track: DataTypes.SMALLINT,
    language: DataTypes.TEXT,
    trackName: DataTypes.TEXT,
    width: DataTypes.INTEGER,
    height: DataTypes.INTEGER,
    fps: DataTypes.REAL,
    size: DataTypes.BIGINT,
    wholeSize: DataTypes.BIGINT,
    webVideoId: DataTypes.INTEGER,
    hls: DataTypes.BOOLEAN,
    webVideo: DataTypes.BOOLEAN,
    filename: DataTypes.TEXT,
    playlistFilename: DataTypes.TEXT,
    hasAudio: DataTypes.BOOLEAN,
    hasVideo: DataTypes.BOOLEAN,
    bandwidth: DataTypes.BIGINT,
    averageBandwidth: DataTypes.BIGINT,
    codecs: DataTypes.TEXT,
    growing: DataTypes.BOOLEAN,
    metadata: DataTypes.JSONB,
    createdAt: DataTypes.DATE,
    updatedAt: DataTypes.DATE
  },
  { tableName: 'video_files' }
)
