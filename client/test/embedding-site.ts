import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { FrameLocator, Page } from 'playwright-core'
import type { TestSite } from './site.ts'

/** A page of another site that embeds a page of the instance in an iframe. */
export type EmbeddingSite = {
  page: Page
  frame: FrameLocator
  /** Opens a path of the instance in the iframe of a fresh embedding page. */
  show(path: string): Promise<void>
  /** Calls a method of the player as `@peertube/embed-api` does; returns its result, or `{ error }` if it is refused. */
  ask(method: string, params?: unknown): Promise<any>
  /** The events that the player has sent, in order. */
  events(): Promise<[name: string, params: any][]>
  /** How many `ready` events the player has sent. */
  ready(): Promise<number>
  stop(): Promise<void>
}

/** The client end of the jschannel protocol, written independently from its description. */
const JSCHANNEL_CLIENT = `
  const frame = document.querySelector('iframe'), waiting = new Map()
  let next = 1, greet
  const greeted = new Promise(resolve => { greet = resolve })
  window.events = []
  const send = message => frame.contentWindow.postMessage(JSON.stringify(message), '*')
  addEventListener('message', ({ source, data }) => {
    if (source !== frame.contentWindow) return
    const { id, method, params, ...reply } = JSON.parse(data)
    if (method === 'peertube::__ready') { greet(); if (params.type === 'publish-request') send({ method, params: { type: 'publish-reply', publish: [] } }) }
    else if (method) window.events.push([method.replace('peertube::', ''), params])
    else waiting.get(id)?.(reply)
  })
  window.shout = (method, params) => new Promise(resolve => { waiting.set(next, resolve); send({ id: next++, method: 'peertube::' + method, params }) })
  window.ask = async (method, params) => { await greeted; return await window.shout(method, params) }
  frame.onload = () => send({ method: 'peertube::__ready', params: { type: 'publish-request', publish: [] } })
`

/** Serves another site on a free port; `script`: the file of a script that its pages load as well. */
export async function openEmbeddingSite(site: TestSite, script?: string): Promise<EmbeddingSite> {
  const server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url!, 'http://x')
    response.setHeader('Content-Type', pathname.endsWith('.js') ? 'text/javascript' : 'text/html')
    if (pathname === '/peer.js') return void response.end(JSCHANNEL_CLIENT)
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
      const reply = await page.evaluate(async ([method, params]) => await (window as any).ask(method, params), [method, params] as const)
      return 'error' in reply ? reply : reply.result
    },
    events: async () => await page.evaluate(() => (window as any).events),
    ready: async () => await page.evaluate(() => (window as any).events.filter(([name]: [string]) => name === 'ready').length),
    stop: async () => {
      await page.close()
      server.close()
    }
  }
}
