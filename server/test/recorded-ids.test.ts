import { expect, it } from 'vitest'
import { createRecordedIds } from './recorded-ids.ts'

const RECORDED = { uuid: '2350f605-4ebe-408c-af48-caa74c91d4ae', shortUUID: '5mWpKc5KauZvCYPTDPhfUw' }
const OURS = { uuid: 'b317749b-87ed-425a-80be-392835d09bf6', shortUUID: 'o7ERjt2kFN7PxVv8rmRE97' }

function learned() {
  const ids = createRecordedIds({ '127.0.0.1:9001': 'here.example' })
  ids.learn({ video: { id: 1, ...RECORDED } }, { video: { id: 41, ...OURS } })
  ids.learn({ comment: { id: 1, text: 'Hello' } }, { comment: { id: 71, text: 'Hello' } })
  ids.learn(
    {
      data: [
        { id: 1, username: 'root', role: {} },
        { id: 2, username: 'user1', role: {} }
      ]
    },
    {
      data: [
        { id: 12, username: 'user1', role: {} },
        { id: 11, username: 'root', role: {} }
      ]
    }
  )
  return ids
}

it('ids of one number are told apart by what they count', () => {
  expect(learned().path('/api/v1/videos/1/comments/1')).toBe('/api/v1/videos/41/comments/71')
  expect(learned().path('/api/v1/users/1')).toBe('/api/v1/users/11')
  expect(learned().body({ videoId: 1, video: { id: 1 }, comment: { id: 1 }, position: 1 })).toEqual({
    videoId: 41,
    video: { id: 41 },
    comment: { id: 71 },
    position: 1
  })
})

it('entries of lists are paired by name, not by place', () => {
  expect(learned().path('/api/v1/users/2/block')).toBe('/api/v1/users/12/block')
})

it('UUIDs and hosts are translated wherever they stand, also within an encoded query', () => {
  const ids = learned()
  expect(ids.path(`/api/v1/videos/${RECORDED.uuid}/captions/en`)).toBe(`/api/v1/videos/${OURS.uuid}/captions/en`)
  expect(ids.query(`url=http%3A%2F%2F127.0.0.1%3A9001%2Fw%2F${RECORDED.shortUUID}&count=2`)).toBe(
    `url=${encodeURIComponent(`http://here.example/w/${OURS.shortUUID}`)}&count=2`
  )
  expect(ids.keys({ accounts: { 'user1@127.0.0.1:9001': {} } })).toEqual({ accounts: { 'user1@here.example': {} } })
})

it('a playlist that was not seen is not taken for another one', () => {
  expect(learned().path('/api/v1/video-playlists/2')).not.toBe('/api/v1/video-playlists/2')
})
