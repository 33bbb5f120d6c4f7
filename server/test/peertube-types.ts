import type { z } from 'zod'
import type { Contract } from '../../shared/contract.ts'

/** What a route answers with, by its key in a contract. */
export type AnswerOf<C extends Contract, K extends keyof C> = C[K] extends { response: infer R extends z.ZodType } ? z.output<R> : never

/**
 * The paths (`video.channel.banners`) of the fields that a type of PeerTube requires and ours does not have, or has as a text where a number
 * or boolean is required and the like. Lists are looked into, and objects three deep; where our type is open for any key or unknown, nothing
 * is missing. PeerTube's types leave null out where its answers have it, so null counts as right; a Date is a text in JSON.
 */
export type Missing<Expected, Ours, Depth extends 0[] = []> = {
  [K in keyof Expected & string]-?: undefined extends Expected[K]
    ? never
    : K extends keyof Ours
      ? MissingBelow<K, Entry<Expected[K]>, Entry<Ours[K]>, Depth>
      : K
}[keyof Expected & string]

type MissingBelow<K extends string, Expected, Ours, Depth extends 0[]> = Depth['length'] extends 3
  ? never
  : unknown extends Ours
    ? never
    : [Expected] extends [Date]
      ? KindFault<K, string, Ours>
      : [Expected] extends [object]
        ? [Ours] extends [object]
          ? string extends keyof Expected
            ? never
            : `${K}.${Missing<Expected, Ours, [...Depth, 0]>}`
          : K
        : KindFault<K, Expected, Ours>
/** The path where a text, number or boolean is of another kind than the expected one. */
type KindFault<K extends string, Expected, Ours> = [KindOf<Ours> & KindOf<Expected>] extends [never] ? K : never
type KindOf<T> = T extends Date
  ? 'text'
  : T extends string
    ? 'text'
    : T extends number
      ? 'number'
      : T extends boolean
        ? 'boolean'
        : 'object'
/** What a field holds when it holds something: of a list its entries. */
type Entry<T> = Exclude<T, null | undefined> extends (infer E)[] ? E : Exclude<T, null | undefined>
