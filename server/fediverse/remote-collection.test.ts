import { afterAll, beforeAll, expect, test } from 'vitest'
import { startHostilePeer, type HostilePeer } from '../test/hostile-peer.ts'
import { startTestInstance, type TestInstance } from '../test/instance.ts'
import { CRAWL } from './crawl-internals.ts'
import { fetchCollectionPages, startOfCollection } from './remote-collection.ts'

type Document = { [key: string]: unknown }
let site: TestInstance
let peer: HostilePeer
beforeAll(async () => {
  ;[site, peer] = await Promise.all([startTestInstance({}, ['web']), startHostilePeer()])
})
afterAll(async () => await Promise.all([site, peer].map(async one => await one?.stop())))

const ITEM = 'https://elsewhere.example/1'
const read = async (id: string) => {
  const items: unknown[] = []
  for await (const page of fetchCollectionPages(id)) items.push(...page.items)
  return items
}
const serve = (make: (id: string) => Document): string => {
  const id = peer.id('lists')
  const { pathname } = new URL(id)
  peer.serve(pathname, { type: 'Collection', id, ...make(id) })
  peer.serve(`${pathname}?page=0`, { type: 'CollectionPage', id: `${id}?page=0`, items: [], next: `${id}?page=1` })
  peer.serve(`${pathname}?page=1`, { type: 'CollectionPage', id: `${id}?page=1`, items: [ITEM] })
  return id
}

test.each<[string, (id: string) => Document]>([
  ['items in its document', () => ({ orderedItems: [ITEM] })],
  ['a single item that is no list', () => ({ items: ITEM })],
  ['one list that is empty and one that is not', () => ({ orderedItems: [], items: [ITEM] })],
  ['all items and a first page with the same', id => ({ totalItems: 1, items: [ITEM], first: `${id}?page=1` })],
  ['some of the items and a first page with all', id => ({ totalItems: 2, items: ['https://elsewhere.example/2'], first: `${id}?page=1` })],
  ['an empty list beside the first page', id => ({ items: [], first: `${id}?page=1` })],
  ['no list but null beside the first page', id => ({ orderedItems: null, first: `${id}?page=1` })],
  ['a first page with only its id', id => ({ first: { type: 'CollectionPage', id: `${id}?page=1` } })],
  ['a Link to the first page', id => ({ first: { type: 'Link', href: `${id}?page=1` } })],
  ['a list with the first page', id => ({ first: [`${id}?page=1`] })],
  ['an embedded first page', () => ({ first: { type: 'CollectionPage', items: [ITEM] } })],
  [
    'an embedded first page that is empty and has a next one',
    id => ({ first: { items: [], next: { type: 'Link', href: `${id}?page=1` } } })
  ],
  ['an empty first page with a next one', id => ({ first: `${id}?page=0` })],
  ['an empty list and a next page', id => ({ items: [], next: `${id}?page=1` })]
])('a collection with %s is read', async (_what, make) => {
  expect(await read(serve(make))).toEqual([ITEM])
})

test.each<[string, (id: string) => Document]>([
  ['nothing', () => ({})],
  ['an empty list', () => ({ totalItems: 0, orderedItems: [] })],
  ['a first page of another host', () => ({ first: ITEM })],
  ['a first page of no form', () => ({ first: [null, 5, {}, [[]], { href: {} }], items: null })],
  ['itself as the first page', id => ({ first: id })]
])('a collection with %s is empty', async (_what, make) => {
  expect(await read(serve(make))).toEqual([])
})

test('empty pages that lead to ever more are left after a few', async () => {
  const id = peer.id('lists')
  peer.serve(new URL(id).pathname, (request, response) => {
    const page = Number(new URL(request.url!, peer.url).searchParams.get('page') ?? 0)
    response
      .writeHead(200, { 'content-type': 'application/activity+json' })
      .end(JSON.stringify({ type: 'Collection', id: `${peer.url}${request.url}`, items: [], next: `${id}?page=${page + 1}` }))
  })
  const before = peer.asked.length
  expect(await read(id)).toEqual([])
  expect(peer.asked.length - before).toBeLessThanOrEqual(CRAWL.maxEmptyPages + 2)
})

test('a collection that is embedded begins where one that is fetched does', () => {
  const id = 'https://peer.example/1/replies'
  expect(startOfCollection({ items: [], first: `${id}?page=1` }, id)).toEqual({ items: null, next: `${id}?page=1` })
  expect(startOfCollection({ first: { items: [ITEM], next: `${id}?page=2` } }, id)).toEqual({ items: [ITEM], next: `${id}?page=2` })
  expect(startOfCollection({ id }, id)).toEqual({ items: null, next: null })
})
