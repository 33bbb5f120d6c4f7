import { t } from '../i18n/i18n.ts'

const ENCODER_NAMES: Record<string, string> = {
  h264_nvenc: 'NVIDIA (NVENC)',
  h264_qsv: 'Intel Quick Sync',
  h264_vaapi: 'VA-API',
  h264_videotoolbox: 'Apple VideoToolbox'
}

/** Returns the display name of an ffmpeg encoder (`auto`: the fastest available one); an unknown one keeps its own name. */
export function encoderName(name: string): string {
  return name === 'auto' ? t('encoder.auto') : name === 'libx264' ? t('encoder.software') : (ENCODER_NAMES[name] ?? name)
}
