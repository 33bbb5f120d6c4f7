import type { CollectionQuery } from '../actors/activitypub-response.ts'

/** Collections around a video: what other slices fill. */
export type VideoCollectionName = 'likes' | 'dislikes' | 'announces' | 'comments'
/** The part of a collection that belongs to a local video: ids, newest first. */
export type VideoCollectionQuery = (video: { id: number; url: string }) => CollectionQuery

const registered = new Map<VideoCollectionName, VideoCollectionQuery>()

/** Says what a collection of videos holds. */
export function registerVideoCollection(name: VideoCollectionName, query: VideoCollectionQuery): void {
  registered.set(name, query)
}

/** A collection of a video; empty until a slice fills it. */
export function findVideoCollection(name: VideoCollectionName): VideoCollectionQuery {
  return registered.get(name) ?? (() => async () => ({ total: 0, items: [] }))
}
