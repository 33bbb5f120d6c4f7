import type { Request } from 'express'

/** The few words that stand in a page before the client takes over. */
const WORDS = {
  en: {
    home: 'Videos',
    homeLists: 'Which videos',
    lists: { recent: 'New', trending: 'Trending', local: 'From here' },
    homeEmpty: 'Nothing to watch yet',
    upload: 'Upload',
    login: 'Log in',
    videos: 'Videos',
    next: 'More to watch',
    by: 'by',
    closed: 'This video does not exist, or it is not open to everybody.',
    missing: 'This page does not exist',
    toHome: 'To the home page',
    preparing: 'This video is being prepared.',
    noScript: 'This page works with JavaScript only.',
    play: 'Play',
    otherPlayer: 'Does it not play? Open it in another video player.',
    search: 'Search',
    searchLabel: 'Words, or the address of a video or channel',
    searchEmpty: 'Nothing found',
    searchElsewhere: 'What is on other servers is looked up with JavaScript only.',
    channels: 'Channels',
    offline: 'You are offline',
    offlineText: 'There is no way to this site right now. Everything is still there when the connection is back.',
    retry: 'Try again',
    channelMissing: 'This channel does not exist',
    accountMissing: 'There is nobody of that name',
    tooMany: 'That was a bit much. Please wait a moment and load the page again.',
    failed: 'That did not work. Please try again.'
  },
  fr: {
    home: 'Vidéos',
    homeLists: 'Quelles vidéos',
    lists: { recent: 'Nouveautés', trending: 'Tendances', local: 'D’ici' },
    homeEmpty: 'Rien à regarder pour l’instant',
    upload: 'Envoyer',
    login: 'Connexion',
    videos: 'Vidéos',
    next: 'À regarder ensuite',
    by: 'par',
    closed: 'Cette vidéo n’existe pas, ou n’est pas ouverte à tous.',
    missing: 'Cette page n’existe pas',
    toHome: 'Vers l’accueil',
    preparing: 'Cette vidéo se prépare.',
    noScript: 'Cette page a besoin de JavaScript.',
    play: 'Lecture',
    otherPlayer: 'La vidéo ne démarre pas ? Ouvrez-la dans un autre lecteur.',
    search: 'Recherche',
    searchLabel: 'Des mots, ou l’adresse d’une vidéo ou d’une chaîne',
    searchEmpty: 'Rien trouvé',
    searchElsewhere: 'Sans JavaScript, on ne cherche pas sur les autres serveurs.',
    channels: 'Chaînes',
    offline: 'Vous êtes hors ligne',
    offlineText: 'Ce site est injoignable pour le moment. Tout sera encore là au retour de la connexion.',
    retry: 'Réessayer',
    channelMissing: 'Cette chaîne n’existe pas',
    accountMissing: 'Il n’y a personne de ce nom',
    tooMany: 'C’était un peu trop. Attendez un instant et rechargez la page.',
    failed: 'Ça n’a pas marché. Réessayez.'
  }
}

/** A language pages are written in. */
export type PageLanguage = keyof typeof WORDS
/** The words of a language. */
export type PageTexts = (typeof WORDS)['en']

/** The words of a language. */
export function pageTextsOf(language: PageLanguage): PageTexts {
  return WORDS[language]
}

/** The language somebody chose (cookie) or whose browser prefers it (Accept-Language). */
export function requestLanguage(request: Request): PageLanguage {
  const chosen = cookie(request, 'bobine_language')
  if (chosen && Object.hasOwn(WORDS, chosen)) return chosen as PageLanguage
  const wanted = request.acceptsLanguages(Object.keys(WORDS))
  return wanted ? (wanted as PageLanguage) : 'en'
}

/** The theme somebody chose; null follows the device. */
export function requestTheme(request: Request): 'light' | 'dark' | null {
  const chosen = cookie(request, 'bobine_theme')
  return chosen === 'light' || chosen === 'dark' ? chosen : null
}

function cookie(request: Request, name: string): string | null {
  return new RegExp(`(?:^|;\\s*)${name}=([a-z]{1,10})(?:;|$)`).exec(request.headers.cookie ?? '')?.[1] ?? null
}
