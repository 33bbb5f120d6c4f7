import type { CollectionQuery } from '../actors/activitypub-response.ts'

/** Collections of a video that other features fill. */
export type VideoCollectionName = 'likes' | 'dislikes' | 'announces' | 'comments' | 'replies'
/** Returns, for a local video, the query of a page of the collection: activity or object ids, newest first. */
export type VideoCollectionQuery = (video: { id: number; url: string }) => CollectionQuery

const queries = new Map<VideoCollectionName, VideoCollectionQuery>()

/** Registers the query of a collection; called once at start by the feature that owns it. */
export function registerVideoCollection(name: VideoCollectionName, query: VideoCollectionQuery): void {
  queries.set(name, query)
}

/** Returns the query of a collection; the collection is empty if no feature registered it. */
export function findVideoCollection(name: VideoCollectionName): VideoCollectionQuery {
  return queries.get(name) ?? (() => async () => ({ total: 0, items: [] }))
}
