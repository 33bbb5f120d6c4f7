import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { projectFolder } from '../core/config.ts'

const exec = promisify(execFile)

/** The path of real footage if it lies beside the project, else null. */
export function realFootage(): string | null {
  const path = join(projectFolder, '../shared/media/the-last-man-on-earth.mp4')
  return existsSync(path) ? path : null
}

/** Makes a film with ffmpeg: moving picture and a tone. `arguments` replaces the encoding's options, `name` the container. */
export async function makeFootage(target: string, { seconds = 4, size = '640x360', rate = 25, video = ['-c:v', 'libx264', '-preset', 'ultrafast', '-g', '50'], audio = ['-c:a', 'aac'] as string[] | null } = {}): Promise<string> {
  await exec('ffmpeg', ['-v', 'error', '-y', '-f', 'lavfi', '-i', `testsrc2=size=${size}:rate=${rate}:duration=${seconds}`,
    ...(audio ? ['-f', 'lavfi', '-i', `sine=frequency=440:duration=${seconds}`] : []), '-pix_fmt', 'yuv420p', ...video, ...(audio ?? []), '-shortest', target])
  return target
}

/** The bytes of a short H.264/AAC film, made once per test file. */
export async function footage(options: Parameters<typeof makeFootage>[1] & { extension?: string } = {}): Promise<Buffer<ArrayBuffer>> {
  const { extension = 'mp4', ...rest } = options
  const folder = await mkdtemp(join(tmpdir(), 'bobine-footage-'))
  try {
    return await readFile(await makeFootage(join(folder, `film.${extension}`), rest)) as Buffer<ArrayBuffer>
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
