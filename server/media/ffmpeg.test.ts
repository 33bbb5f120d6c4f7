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

let place: Awaited<ReturnType<typeof createScratchFolder>>
let source: string

beforeAll(async () => {
  place = await createScratchFolder()
  source = join(place.folder, 'source.mp4')
  await runFfmpegIn(place.folder, ...videoInputArgs(2), ...toneInputArgs(2), ...h264Args, 'source.mp4')
})
afterAll(() => place.remove())

async function processesWith(mark: string): Promise<string[]> {
  const { stdout } = await promisify(execFile)('ps', ['-A', '-o', 'pid=,args='])
  return stdout.split('\n').filter(line => line.includes(mark) && !line.includes('runFfmpeg'))
}

async function until(what: () => Promise<boolean>): Promise<void> {
  for (let i = 0; i < 200; i++) {
    if (await what()) return
    await new Promise(resolve => setTimeout(resolve, 50))
  }
  throw new Error('it did not happen within ten seconds')
}

function endless(mark: string) {
  return {
    input: source,
    cwd: place.folder,
    before: ['-re', '-stream_loop', '-1'],
    output: '-',
    options: ['-c', 'copy', '-metadata', `title=${mark}`, '-f', 'null']
  }
}

test('ffmpeg dies with a parent that is killed with -9', async () => {
  const mark = randomUUID()
  const code = `import { runFfmpeg, runFfprobe } from ${JSON.stringify(new URL('./ffmpeg.ts', import.meta.url).href)}
    await runFfprobe(['-v', 'error', ${JSON.stringify(source)}], { timeoutMs: 10000 })
    runFfmpeg(${JSON.stringify(endless(mark))})`
  const parent: ChildProcess = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', code], { stdio: 'ignore' })
  await until(async () => (await processesWith(mark)).some(line => /\d+ ffmpeg /.test(line)))
  parent.kill('SIGKILL')
  await until(async () => (await processesWith(mark)).length === 0)
})

test('ffmpeg dies with its guard', async () => {
  const mark = randomUUID()
  const run = runFfmpeg(endless(mark))
  await until(async () => (await processesWith(mark)).some(line => /\d+ ffmpeg /.test(line)))
  const guard = (await processesWith(mark)).find(line => line.includes('ffmpeg-guard.sh')) ?? ''
  process.kill(Number.parseInt(guard, 10), 'SIGKILL')
  await expect(run.done).rejects.toMatchObject({ code: 'ffmpeg_failed' })
  await expect(
    runFfmpeg({ input: source, cwd: join(place.folder, 'gone'), options: ['-c', 'copy', '-f', 'mp4'], output: 'x.mp4' }).done
  ).rejects.toMatchObject({ code: 'ffmpeg_failed' })
  await until(async () => (await processesWith(mark)).length === 0)
})

test('an abort ends ffmpeg before the promise settles', async () => {
  const mark = randomUUID()
  const controller = new AbortController()
  const run = runFfmpeg({ ...endless(mark), signal: controller.signal })
  await until(async () => (await processesWith(mark)).some(line => /\d+ ffmpeg /.test(line)))
  controller.abort()
  await expect(run.done).rejects.toMatchObject({ code: 'aborted' })
  expect((await processesWith(mark)).filter(line => / ffmpeg /.test(line))).toEqual([])
})

test('one that hangs is ended, one that goes on is not', async () => {
  const mark = randomUUID()
  const run = runFfmpeg({ ...endless(mark), stallMs: 1600 })
  const running = async () => (await processesWith(mark)).find(line => /\d+ ffmpeg /.test(line))
  await until(async () => (await running()) !== undefined)
  let over = false
  run.done.catch(() => {
    over = true
  })
  await new Promise(resolve => setTimeout(resolve, 3500))
  expect(over).toBe(false)
  process.kill(Number.parseInt((await running())!, 10), 'SIGSTOP')
  await expect(run.done).rejects.toMatchObject({ code: 'timeout' })
  await until(async () => (await processesWith(mark)).length === 0)
  // One that does not even begin: nobody writes into its source.
  await promisify(execFile)('mkfifo', [join(place.folder, 'pipe.mp4')])
  await expect(
    runFfmpeg({
      input: join(place.folder, 'pipe.mp4'),
      cwd: place.folder,
      options: ['-c', 'copy', '-f', 'null'],
      output: '-',
      stallMs: 400
    }).done
  ).rejects.toMatchObject({ code: 'timeout' })
})

test('one that is held stands still, as long as it takes, goes on where it was, and can be ended', async () => {
  const mark = randomUUID()
  const brake = new PauseControl()
  const seen: FfmpegProgress[] = []
  const run = runFfmpeg({
    ...endless(mark),
    brake,
    duration: 1000,
    stallMs: 1200,
    timeoutMs: 12_000,
    onProgress: progress => seen.push(progress)
  })
  let over = false
  run.done.catch(() => {
    over = true
  })
  await until(async () => seen.length > 1)
  brake.set(true)
  const state = async () =>
    (await promisify(execFile)('ps', ['-A', '-o', 'stat=,args='])).stdout
      .split('\n')
      .find(line => line.includes(mark) && /^\S+ +ffmpeg /.test(line))?.[0]
  await until(async () => (await state()) === 'T')
  await new Promise(resolve => setTimeout(resolve, 300))
  const told = seen.length
  await new Promise(resolve => setTimeout(resolve, 4000))
  expect([over, seen.length]).toEqual([false, told])
  brake.set(false)
  await until(async () => seen.length > told + 1)
  expect(await state()).not.toBe('T')
  // Time spent standing still does not make it slow.
  expect(seen.at(-1)!.speed).toBeGreaterThan(0.75)
  expect(brake.heldFor).toBeGreaterThan(4000)
  brake.set(true)
  await until(async () => (await state()) === 'T')
  run.kill()
  await expect(run.done).rejects.toMatchObject({ code: 'aborted' })
  await until(async () => (await processesWith(mark)).length === 0)
  // Held before it began.
  const short = runFfmpeg({ input: source, cwd: place.folder, before: ['-re'], options: ['-c', 'copy', '-f', 'null'], output: '-', brake })
  expect(await Promise.race([short.done, new Promise(resolve => setTimeout(resolve, 3500, 'held'))])).toBe('held')
  brake.set(false)
  expect((await short.done).frames).toBe(50)
})

test('an abort before the start, a kill right after it and a time limit all end it', async () => {
  const early = runFfmpeg({ ...endless(randomUUID()), signal: AbortSignal.abort() })
  await expect(early.done).rejects.toMatchObject({ code: 'aborted' })
  const killed = runFfmpeg(endless(randomUUID()))
  killed.kill()
  await expect(killed.done).rejects.toMatchObject({ code: 'aborted' })
  await expect(runFfmpeg({ ...endless(randomUUID()), timeoutMs: 300 }).done).rejects.toMatchObject({ code: 'timeout' })
})

test('names are taken literally, whatever they are made of', async () => {
  for (const name of ['-i $(touch pwned) `touch pwned`; "x" \'y\'.mp4', 'concat:a|b.mp4', '%d|é 漢.mp4', 'http:x.mp4']) {
    const file = join(place.folder, name)
    await copyFile(source, file)
    await runFfmpeg({ input: file, cwd: place.folder, options: ['-c', 'copy', '-f', 'mp4'], output: 'copy.mp4' }).done
  }
  expect(existsSync(join(place.folder, 'pwned'))).toBe(false)
})

test('progress grows to 100, failures carry what ffmpeg said, and its niceness is kept', async () => {
  const seen: FfmpegProgress[] = []
  const { frames } = await runFfmpeg({
    input: source,
    cwd: place.folder,
    options: ['-c:v', 'libx264', '-f', 'mp4'],
    output: 'encoded.mp4',
    duration: 2,
    nice: 5,
    onProgress: progress => seen.push(progress)
  }).done
  expect(frames).toBe(50)
  expect(seen.at(-1)).toMatchObject({ percent: 100, secondsLeft: 0 })
  expect(seen.at(-1)?.seconds).toBeGreaterThan(1.9)
  await expect(
    runFfmpeg({ input: source, cwd: place.folder, options: ['-c:v', 'no-such-codec'], output: 'x.mp4' }).done
  ).rejects.toMatchObject({ code: 'ffmpeg_failed', message: expect.stringContaining('no-such-codec') })
  await expect(
    runFfmpeg({ input: join(place.folder, 'absent'), cwd: place.folder, options: [], output: 'x.mp4' }).done
  ).rejects.toMatchObject({ code: 'ffmpeg_failed' })
})

test('the guard passes exit codes and runs ffprobe too', async () => {
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
