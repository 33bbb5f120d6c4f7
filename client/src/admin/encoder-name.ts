import { t } from '../i18n/i18n.ts'

const NAMES: Record<string, string> = {
  h264_nvenc: 'NVIDIA (NVENC)',
  h264_qsv: 'Intel Quick Sync',
  h264_vaapi: 'VA-API',
  h264_videotoolbox: 'Apple VideoToolbox'
}

/** How people call an encoder. */
export function encoderName(name: string): string {
  return name === 'auto' ? t('encoder.auto') : name === 'libx264' ? t('encoder.software') : (NAMES[name] ?? name)
}
