import type { Part } from '../actors/activitypub-response.ts'

/** Collections around a video: what other slices fill. */
export type CollectionName = 'likes' | 'dislikes' | 'announces' | 'comments'
/** The part of a collection that belongs to a local video: ids, newest first. */
export type VideoCollection = (video: { id: number; url: string }) => Part

const registered = new Map<CollectionName, VideoCollection>()

/** Says what a collection of videos holds. */
export function registerCollection(name: CollectionName, query: VideoCollection): void {
  registered.set(name, query)
}

/** A collection of a video; empty until a slice fills it. */
export function videoCollection(name: CollectionName): VideoCollection {
  return registered.get(name) ?? (() => async () => ({ total: 0, items: [] }))
}
