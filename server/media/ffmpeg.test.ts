import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import { copyFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { PauseControl } from './pause-control.ts'
import { ffmpegGuardPath, hasFfmpegFilter, runFfmpeg, runFfprobe, type FfmpegProgress } from './ffmpeg.ts'
import { h264Args, runFfmpegIn, videoInputArgs, createScratchFolder, toneInputArgs } from '../test/media-fixtures.ts'

let scratch: Awaited<ReturnType<typeof createScratchFolder>>
let source: string

beforeAll(async () => {
  scratch = await createScratchFolder()
  source = join(scratch.folder, 'source.mp4')
  await runFfmpegIn(scratch.folder, ...videoInputArgs(2), ...toneInputArgs(2), ...h264Args, 'source.mp4')
})
afterAll(() => scratch.remove())

async function processesWithMarker(marker: string): Promise<string[]> {
  const { stdout } = await promisify(execFile)('ps', ['-A', '-o', 'pid=,args='])
  return stdout.split('\n').filter(line => line.includes(marker) && !line.includes('runFfmpeg'))
}

async function waitUntil(condition: () => Promise<boolean>): Promise<void> {
  for (let i = 0; i < 200; i++) {
    if (await condition()) return
    await new Promise(resolve => setTimeout(resolve, 50))
  }
  throw new Error('the condition was not met within ten seconds')
}

function endlessJob(marker: string) {
  return {
    input: source,
    cwd: scratch.folder,
    inputOptions: ['-re', '-stream_loop', '-1'],
    output: '-',
    options: ['-c', 'copy', '-metadata', `title=${marker}`, '-f', 'null']
  }
}

test('ffmpeg ends when its parent is killed with SIGKILL', async () => {
  const marker = randomUUID()
  const code = `import { runFfmpeg, runFfprobe } from ${JSON.stringify(new URL('./ffmpeg.ts', import.meta.url).href)}
    await runFfprobe(['-v', 'error', ${JSON.stringify(source)}], { timeoutMs: 10000 })
    runFfmpeg(${JSON.stringify(endlessJob(marker))})`
  const parent: ChildProcess = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', code], { stdio: 'ignore' })
  await waitUntil(async () => (await processesWithMarker(marker)).some(line => /\d+ ffmpeg /.test(line)))
  parent.kill('SIGKILL')
  await waitUntil(async () => (await processesWithMarker(marker)).length === 0)
})

test('ffmpeg ends when its guard is killed', async () => {
  const marker = randomUUID()
  const run = runFfmpeg(endlessJob(marker))
  await waitUntil(async () => (await processesWithMarker(marker)).some(line => /\d+ ffmpeg /.test(line)))
  const guard = (await processesWithMarker(marker)).find(line => line.includes('ffmpeg-guard.sh')) ?? ''
  process.kill(Number.parseInt(guard, 10), 'SIGKILL')
  await expect(run.done).rejects.toMatchObject({ code: 'ffmpeg_failed' })
  await expect(
    runFfmpeg({ input: source, cwd: join(scratch.folder, 'gone'), options: ['-c', 'copy', '-f', 'mp4'], output: 'x.mp4' }).done
  ).rejects.toMatchObject({ code: 'ffmpeg_failed' })
  await waitUntil(async () => (await processesWithMarker(marker)).length === 0)
})

test('an abort ends ffmpeg before the promise settles', async () => {
  const marker = randomUUID()
  const controller = new AbortController()
  const run = runFfmpeg({ ...endlessJob(marker), signal: controller.signal })
  await waitUntil(async () => (await processesWithMarker(marker)).some(line => /\d+ ffmpeg /.test(line)))
  controller.abort()
  await expect(run.done).rejects.toMatchObject({ code: 'aborted' })
  expect((await processesWithMarker(marker)).filter(line => / ffmpeg /.test(line))).toEqual([])
})

test('a stalled process is ended, one that makes progress is not', async () => {
  const marker = randomUUID()
  const run = runFfmpeg({ ...endlessJob(marker), stallMs: 1600 })
  const ffmpegProcess = async () => (await processesWithMarker(marker)).find(line => /\d+ ffmpeg /.test(line))
  await waitUntil(async () => (await ffmpegProcess()) !== undefined)
  let settled = false
  run.done.catch(() => {
    settled = true
  })
  await new Promise(resolve => setTimeout(resolve, 3500))
  expect(settled).toBe(false)
  process.kill(Number.parseInt((await ffmpegProcess())!, 10), 'SIGSTOP')
  await expect(run.done).rejects.toMatchObject({ code: 'timeout' })
  await waitUntil(async () => (await processesWithMarker(marker)).length === 0)
  // One that never starts: nothing is written into its source.
  await promisify(execFile)('mkfifo', [join(scratch.folder, 'pipe.mp4')])
  await expect(
    runFfmpeg({
      input: join(scratch.folder, 'pipe.mp4'),
      cwd: scratch.folder,
      options: ['-c', 'copy', '-f', 'null'],
      output: '-',
      stallMs: 400
    }).done
  ).rejects.toMatchObject({ code: 'timeout' })
})

test('a paused process makes no progress, hits no time limit, resumes where it was, and can be killed', async () => {
  const marker = randomUUID()
  const pauseControl = new PauseControl()
  const reports: FfmpegProgress[] = []
  const run = runFfmpeg({
    ...endlessJob(marker),
    pauseControl,
    duration: 1000,
    stallMs: 1200,
    timeoutMs: 12_000,
    onProgress: progress => reports.push(progress)
  })
  let settled = false
  run.done.catch(() => {
    settled = true
  })
  await waitUntil(async () => reports.length > 1)
  pauseControl.setPaused(true)
  const processState = async () =>
    (await promisify(execFile)('ps', ['-A', '-o', 'stat=,args='])).stdout
      .split('\n')
      .find(line => line.includes(marker) && /^\S+ +ffmpeg /.test(line))?.[0]
  await waitUntil(async () => (await processState()) === 'T')
  await new Promise(resolve => setTimeout(resolve, 300))
  const reportsWhilePaused = reports.length
  await new Promise(resolve => setTimeout(resolve, 4000))
  expect([settled, reports.length]).toEqual([false, reportsWhilePaused])
  pauseControl.setPaused(false)
  await waitUntil(async () => reports.length > reportsWhilePaused + 1)
  expect(await processState()).not.toBe('T')
  // Paused time does not lower the reported speed.
  expect(reports.at(-1)!.speed).toBeGreaterThan(0.75)
  expect(pauseControl.pausedMs).toBeGreaterThan(4000)
  pauseControl.setPaused(true)
  await waitUntil(async () => (await processState()) === 'T')
  run.kill()
  await expect(run.done).rejects.toMatchObject({ code: 'aborted' })
  await waitUntil(async () => (await processesWithMarker(marker)).length === 0)
  // Paused before the start.
  const shortRun = runFfmpeg({
    input: source,
    cwd: scratch.folder,
    inputOptions: ['-re'],
    options: ['-c', 'copy', '-f', 'null'],
    output: '-',
    pauseControl
  })
  expect(await Promise.race([shortRun.done, new Promise(resolve => setTimeout(resolve, 3500, 'held'))])).toBe('held')
  pauseControl.setPaused(false)
  expect((await shortRun.done).frames).toBe(50)
})

test('an abort before the start, a kill right after it and a time limit all end it', async () => {
  const abortedEarly = runFfmpeg({ ...endlessJob(randomUUID()), signal: AbortSignal.abort() })
  await expect(abortedEarly.done).rejects.toMatchObject({ code: 'aborted' })
  const killedRun = runFfmpeg(endlessJob(randomUUID()))
  killedRun.kill()
  await expect(killedRun.done).rejects.toMatchObject({ code: 'aborted' })
  await expect(runFfmpeg({ ...endlessJob(randomUUID()), timeoutMs: 300 }).done).rejects.toMatchObject({ code: 'timeout' })
})

test('file names are taken literally, whatever characters they have', async () => {
  for (const name of ['-i $(touch pwned) `touch pwned`; "x" \'y\'.mp4', 'concat:a|b.mp4', '%d|é 漢.mp4', 'http:x.mp4']) {
    const file = join(scratch.folder, name)
    await copyFile(source, file)
    await runFfmpeg({ input: file, cwd: scratch.folder, options: ['-c', 'copy', '-f', 'mp4'], output: 'copy.mp4' }).done
  }
  expect(existsSync(join(scratch.folder, 'pwned'))).toBe(false)
})

test('progress reaches 100, and errors contain the output of ffmpeg', async () => {
  const reports: FfmpegProgress[] = []
  const { frames } = await runFfmpeg({
    input: source,
    cwd: scratch.folder,
    options: ['-c:v', 'libx264', '-f', 'mp4'],
    output: 'encoded.mp4',
    duration: 2,
    nice: 5,
    onProgress: progress => reports.push(progress)
  }).done
  expect(frames).toBe(50)
  expect(reports.at(-1)).toMatchObject({ percent: 100, secondsLeft: 0 })
  expect(reports.at(-1)?.seconds).toBeGreaterThan(1.9)
  await expect(
    runFfmpeg({ input: source, cwd: scratch.folder, options: ['-c:v', 'no-such-codec'], output: 'x.mp4' }).done
  ).rejects.toMatchObject({ code: 'ffmpeg_failed', message: expect.stringContaining('no-such-codec') })
  await expect(
    runFfmpeg({ input: join(scratch.folder, 'absent'), cwd: scratch.folder, options: [], output: 'x.mp4' }).done
  ).rejects.toMatchObject({ code: 'ffmpeg_failed' })
})

test('the guard passes on exit codes and runs ffprobe too', async () => {
  const child = spawn(ffmpegGuardPath(), ['-v', 'quiet', '-i', '/nonexistent', '-f', 'null', '-'])
  const code = await new Promise(resolve => child.on('exit', resolve))
  expect(code).toBe(1)
  expect(await runFfprobe(['-v', 'error', '-show_entries', 'format=nb_streams', '-of', 'csv=p=0', source], { timeoutMs: 10_000 })).toBe(
    '2\n'
  )
  await expect(runFfprobe(['-v', 'error', '/nonexistent'], { timeoutMs: 10_000 })).rejects.toMatchObject({ code: 'ffmpeg_failed' })
  expect(await hasFfmpegFilter('scale')).toBe(true)
  expect(await hasFfmpegFilter('no-such-filter')).toBe(false)
})
