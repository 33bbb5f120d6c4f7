// Shows a friendly page when the network is away. Nothing else is kept: every page, picture and answer comes from the server.
// The server writes BUILT above; the address names the language and the theme the page is kept in.
const CACHE = `offline ${BUILT}${location.search}`
const PAGE = '/offline'

let away = false

addEventListener('install', event => event.waitUntil(keep()))
addEventListener('activate', event => event.waitUntil(takeOver()))
addEventListener('fetch', event => {
  const { request } = event
  if (request.method === 'GET' && request.mode === 'navigate' && request.destination === 'document') event.respondWith(pageOr(event))
  else if (away && ['style', 'image'].includes(request.destination)) event.respondWith(fetch(request).catch(async () => await kept(request)))
})

/** Keeps the page and what it is drawn with. */
async function keep() {
  const cache = await caches.open(CACHE)
  const page = await fetch(PAGE, { cache: 'reload' })
  if (!page.ok) throw new Error(`${PAGE} answered ${page.status}`)
  const text = await page.clone().text()
  const parts = [...text.matchAll(/<(?:link rel="(?:stylesheet|icon)"[^>]*? href|img[^>]*? src)="(\/[^"]+)"/g)].map(([, address]) => address)
  await cache.put(PAGE, page)
  await cache.addAll([...new Set(parts)])
  await skipWaiting()
}

/** Forgets what older versions kept. */
async function takeOver() {
  for (const name of await caches.keys()) if (name.startsWith('offline ') && name !== CACHE) await caches.delete(name)
  await registration.navigationPreload?.enable()
}

/** The page as the server gives it, whatever it says; ours when there is no server to be reached. */
async function pageOr(event) {
  try {
    const page = await event.preloadResponse ?? await fetch(event.request)
    away = false
    return page
  } catch {
    away = true
    return await kept(PAGE)
  }
}

async function kept(request) {
  return await caches.match(request, { cacheName: CACHE }) ?? Response.error()
}
