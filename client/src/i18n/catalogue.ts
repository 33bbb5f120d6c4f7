import type en from './en.ts'

/** A text with its plural forms, chosen by `count`. */
export type PluralText = { one: string; other: string }
/** The name of a text. */
export type TextKey = keyof typeof en
/** All texts of a language; English says which there are. */
export type Catalogue = Record<TextKey, string | PluralText>
