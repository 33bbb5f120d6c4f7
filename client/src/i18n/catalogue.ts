import type en from './en.ts'

/** A text with plural forms; the value `count` chooses one. */
export type PluralText = { one: string; other: string }
/** The key of a text. */
export type TextKey = keyof typeof en
/** All texts of a language; the English ones define the keys. */
export type Catalogue = Record<TextKey, string | PluralText>
