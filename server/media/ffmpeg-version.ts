import { execFile } from 'node:child_process'

/** The version of the installed ffmpeg as it calls itself; null where there is none, or where it says nothing within `timeout` ms. */
export async function ffmpegVersion(timeout: number): Promise<string | null> {
  return await new Promise(resolve => {
    execFile('ffmpeg', ['-version'], { timeout, windowsHide: true }, (error, text) =>
      resolve(error ? null : (/^ffmpeg version (\S+)/.exec(text)?.[1] ?? null))
    )
  })
}
