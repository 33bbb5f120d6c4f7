// Shows a friendly page when the network is away. Nothing else is kept: every page, picture and answer comes from the server.
// Browsers fetch the page anew when this text or its address changes: the server names the build above, the client language and theme in
// the address.
const CACHE = 'offline'
const PAGE = '/offline'

let away = false

addEventListener('install', event => event.waitUntil(keep()))
addEventListener('activate', event => event.waitUntil(registration.navigationPreload?.enable()))
addEventListener('fetch', event => {
  const { request } = event
  if (request.method === 'GET' && request.mode === 'navigate' && request.destination === 'document') event.respondWith(pageOr(event))
  else if (away && ['style', 'image'].includes(request.destination))
    event.respondWith(fetch(request).catch(async () => await kept(request)))
})

/** Keeps the page and what it is drawn with, all of it or nothing, and forgets what it was drawn with before. */
async function keep() {
  const page = await ask(PAGE, { cache: 'reload' })
  const text = await page.clone().text()
  const parts = [
    ...new Set(
      [...text.matchAll(/<(?:link rel="(?:stylesheet|icon)"[^>]*? href|img[^>]*? src)="(\/[^"]+)"/g)].map(([, address]) => address)
    )
  ]
  const answers = await Promise.all(parts.map(async address => await ask(address)))
  const cache = await caches.open(CACHE)
  await Promise.all([cache.put(PAGE, page), ...parts.map(async (address, index) => await cache.put(address, answers[index]))])
  for (const { url } of await cache.keys()) if (![PAGE, ...parts].includes(new URL(url).pathname)) await cache.delete(url)
  await skipWaiting()
}

async function ask(address, options) {
  const answer = await fetch(address, options)
  if (!answer.ok) throw new Error(`${address} answered ${answer.status}`)
  return answer
}

/** The page as the server gives it, whatever it says; ours when there is no server to be reached. */
async function pageOr(event) {
  try {
    const page = (await event.preloadResponse) ?? (await fetch(event.request))
    away = false
    return page
  } catch {
    away = true
    return await kept(PAGE)
  }
}

async function kept(request) {
  return (await caches.match(request, { cacheName: CACHE, ignoreVary: true })) ?? Response.error()
}
