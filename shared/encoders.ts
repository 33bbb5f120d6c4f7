/** ffmpeg's H.264 encoders that pictures may be encoded with, the one to be preferred first. */
export const ENCODERS = ['h264_nvenc', 'h264_qsv', 'h264_vaapi', 'h264_videotoolbox', 'libx264'] as const
export type Encoder = (typeof ENCODERS)[number]

/** The one that needs no hardware. */
export const SOFTWARE = 'libx264'
