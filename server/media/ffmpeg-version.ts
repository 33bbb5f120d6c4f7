import { execFile } from 'node:child_process'

/** The version that the installed ffmpeg reports; null if there is none, or if it does not answer within `timeout` ms. */
export async function ffmpegVersion(timeout: number): Promise<string | null> {
  return await new Promise(resolve => {
    execFile('ffmpeg', ['-version'], { timeout, windowsHide: true }, (error, text) =>
      resolve(error ? null : (/^ffmpeg version (\S+)/.exec(text)?.[1] ?? null))
    )
  })
}
