import { probe } from './probe.ts'
import { plan } from './ladder.ts'
import { copyToHls, encodeToHls } from './hls.ts'
import { describeVariant, masterPlaylist, segmentHashes } from './playlist.ts'
import { mkdirSync, rmSync } from 'node:fs'
const settings = { resolutions: [240,360,480,720], alwaysOriginal: true, maxFps: 60, splitAudio: process.env.MUX !== '1', crf: 23, audioBitrate: 128000, maxKeyframeInterval: 4, segmentSeconds: 2, preset: 'veryfast', threadsPerRung: 2 }
for (const f of process.argv.slice(2)) { try {
  const p = await probe(f, { maxDuration: null, maxPixels: 1e8, maxFps: 300, maxStreams: 20, timeoutMs: 20000 })
  const l = plan(p, settings)
  console.log(f, JSON.stringify({...p, metadata: 0})); console.log(JSON.stringify({...l, settings: 0}))
  const dir = '/tmp/mt/out'; rmSync(dir, {recursive: true, force: true}); mkdirSync(dir)
  const outs = []
  if (l.copyVideo) { const r = copyToHls(f, dir, l, p, {}); console.log('copy', await r.done); outs.push(...r.outputs) }
  if (l.encode.length) { const r = encodeToHls(f, dir, l, p, { onProgress: x => console.log(JSON.stringify(x)) }); console.log('enc', await r.done); outs.push(...r.outputs) }
  const vs = await Promise.all(outs.filter(o=>o.kind==='video').map(o => describeVariant(dir, o)))
  const a = outs.find(o => o.kind === 'audio')
  console.log(masterPlaylist(vs, a ? await describeVariant(dir, a) : null))
  console.log(Object.values(await segmentHashes(dir, outs)).map(x => Object.keys(x).length))
  } catch (e) { console.log(f, e) } }
