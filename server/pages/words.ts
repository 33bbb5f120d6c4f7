import type { Request } from 'express'

/** The few words that stand in a page before the client takes over. */
const WORDS = {
  en: {
    home: 'New videos', homeEmpty: 'Nothing to watch yet', upload: 'Upload', login: 'Log in', videos: 'Videos', next: 'More to watch', by: 'by', closed: 'This video does not exist, or it is not open to everybody.',
    missing: 'This page does not exist', toHome: 'To the home page', preparing: 'This video is being prepared.', loading: 'Loading…', channelMissing: 'This channel does not exist', accountMissing: 'There is nobody of that name',
    tooMany: 'That was a bit much. Please wait a moment and load the page again.', failed: 'That did not work. Please try again.'
  },
  fr: {
    home: 'Nouvelles vidéos', homeEmpty: 'Rien à regarder pour l’instant', upload: 'Envoyer', login: 'Connexion', videos: 'Vidéos', next: 'À regarder ensuite', by: 'par', closed: 'Cette vidéo n’existe pas, ou n’est pas ouverte à tous.',
    missing: 'Cette page n’existe pas', toHome: 'Vers l’accueil', preparing: 'Cette vidéo se prépare.', loading: 'Chargement…', channelMissing: 'Cette chaîne n’existe pas', accountMissing: 'Il n’y a personne de ce nom',
    tooMany: 'C’était un peu trop. Attendez un instant et rechargez la page.', failed: 'Ça n’a pas marché. Réessayez.'
  }
}

/** A language pages are written in. */
export type Language = keyof typeof WORDS
/** The words of a language. */
export type Words = (typeof WORDS)['en']

/** The words of a language. */
export function wordsOf(language: Language): Words {
  return WORDS[language]
}

/** The language somebody chose (cookie) or whose browser prefers it (Accept-Language). */
export function languageOf(request: Request): Language {
  const chosen = cookie(request, 'bobine_language')
  if (chosen && Object.hasOwn(WORDS, chosen)) return chosen as Language
  const wanted = request.acceptsLanguages(Object.keys(WORDS))
  return wanted ? wanted as Language : 'en'
}

/** The theme somebody chose; null follows the device. */
export function themeOf(request: Request): 'light' | 'dark' | null {
  const chosen = cookie(request, 'bobine_theme')
  return chosen === 'light' || chosen === 'dark' ? chosen : null
}

function cookie(request: Request, name: string): string | null {
  return new RegExp(`(?:^|;\\s*)${name}=([a-z]{1,10})(?:;|$)`).exec(request.headers.cookie ?? '')?.[1] ?? null
}
