import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { FrameLocator, Page } from 'playwright-core'
import type { TestSite } from './site.ts'

/** A page of another site with one of our pages in a frame. */
export type EmbeddingSite = {
  page: Page
  frame: FrameLocator
  /** Opens a path of ours in the frame of a new page of the other site. */
  show(path: string): Promise<void>
  /** Asks the player as `@peertube/embed-api` does; a refusal is `{ error }`. */
  ask(method: string, params?: unknown): Promise<any>
  /** What the player told, in order. */
  events(): Promise<[name: string, params: any][]>
  /** How often the player said that it is ready. */
  ready(): Promise<number>
  stop(): Promise<void>
}

/** The asking end of the protocol: jschannel's messages as they travel, written from its description. */
const PEER = `
  const frame = document.querySelector('iframe'), waiting = new Map()
  let next = 1, greet
  const greeted = new Promise(resolve => { greet = resolve })
  window.events = []
  const send = message => frame.contentWindow.postMessage(JSON.stringify(message), '*')
  addEventListener('message', ({ source, data }) => {
    if (source !== frame.contentWindow) return
    const { id, method, params, ...answer } = JSON.parse(data)
    if (method === 'peertube::__ready') { greet(); if (params.type === 'publish-request') send({ method, params: { type: 'publish-reply', publish: [] } }) }
    else if (method) window.events.push([method.replace('peertube::', ''), params])
    else waiting.get(id)?.(answer)
  })
  window.shout = (method, params) => new Promise(resolve => { waiting.set(next, resolve); send({ id: next++, method: 'peertube::' + method, params }) })
  window.ask = async (method, params) => { await greeted; return await window.shout(method, params) }
  frame.onload = () => send({ method: 'peertube::__ready', params: { type: 'publish-request', publish: [] } })
`

/** Another site; `script` is the file of a script that its pages load as well. */
export async function openEmbeddingSite(site: TestSite, script?: string): Promise<EmbeddingSite> {
  const server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url!, 'http://x')
    response.setHeader('Content-Type', pathname.endsWith('.js') ? 'text/javascript' : 'text/html')
    if (pathname === '/peer.js') return void response.end(PEER)
    if (pathname === '/library.js') return void response.end(script ? readFileSync(script) : '')
    response.end(
      `<!doctype html><iframe src="${site.url}${searchParams.get('path')?.replaceAll('"', '&quot;')}" width="640" height="360" allow="fullscreen; autoplay"></iframe><script src="/peer.js"></script><script src="/library.js"></script>`
    )
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const address = `http://localhost:${(server.address() as AddressInfo).port}`
  const page = await site.browser.newPage({ locale: 'en-GB' })
  return {
    page,
    frame: page.frameLocator('iframe'),
    show: async path => {
      await page.goto(`${address}/?path=${encodeURIComponent(path)}`)
    },
    ask: async (method, params) => {
      const answer = await page.evaluate(async ([method, params]) => await (window as any).ask(method, params), [method, params] as const)
      return 'error' in answer ? answer : answer.result
    },
    events: async () => await page.evaluate(() => (window as any).events),
    ready: async () => await page.evaluate(() => (window as any).events.filter(([name]: [string]) => name === 'ready').length),
    stop: async () => {
      await page.close()
      server.close()
    }
  }
}
