/** ffmpeg's H.264 encoders that may be used, the preferred one first. */
export const H264_ENCODERS = ['h264_nvenc', 'h264_qsv', 'h264_vaapi', 'h264_videotoolbox', 'libx264'] as const
export type H264Encoder = (typeof H264_ENCODERS)[number]

/** The encoder that needs no hardware. */
export const SOFTWARE_ENCODER = 'libx264'
