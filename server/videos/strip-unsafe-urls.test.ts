import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { loadConfig } from '../core/config.ts'
import { stripUnsafeUrls } from './strip-unsafe-urls.ts'
import { parseVideoObject } from './video.codec.ts'

const recorded = JSON.parse(readFileSync(new URL('recorded/activitypub.json', import.meta.url), 'utf8')) as {
  name: string
  document: any
}[]
const document = recorded.find(({ name }) => name.startsWith('0796'))!.document
const videoWithOrigin = (origin: string) =>
  stripUnsafeUrls(parseVideoObject(JSON.parse(JSON.stringify(document).replaceAll('http://127.0.0.1:9001', origin))))
const mediaUrls = (video: ReturnType<typeof videoWithOrigin>) =>
  [video.playlist?.url, ...video.files.map(file => file.url), ...(video.playlist?.files ?? []).map(file => file.url)].filter(Boolean)

describe('URLs with a private host, an unusual port or, from an https site, plain http are removed', () => {
  it.each([
    'http://127.0.0.1',
    'https://10.0.0.1',
    'https://[::1]',
    'https://169.254.169.254',
    'https://192.168.1.1',
    'https://good.example:8443',
    'http://good.example',
    'https://2130706433'
  ])('%s', origin => {
    loadConfig({ overrides: { webserver: { https: true, hostname: 'ours.example', port: 443 }, federation: { prevent_ssrf: true } } })
    expect(mediaUrls(videoWithOrigin(origin))).toEqual([])
  })

  it('URLs of public hosts are kept', () => {
    loadConfig({ overrides: { webserver: { https: true, hostname: 'ours.example', port: 443 }, federation: { prevent_ssrf: true } } })
    const video = videoWithOrigin('https://good.example')
    expect([mediaUrls(video).length, video.icons.length, video.captions.length, video.storyboard !== null]).toEqual([5, 2, 3, true])
  })
})
