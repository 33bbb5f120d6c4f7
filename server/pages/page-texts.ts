import type { Request } from 'express'

/** The texts of a server-rendered page, shown until the client takes over. */
const PAGE_TEXTS = {
  en: {
    home: 'Videos',
    homeLists: 'Browse videos',
    lists: { recent: 'New', trending: 'Trending', local: 'Local' },
    homeEmpty: 'No videos yet',
    upload: 'Upload',
    login: 'Log in',
    videos: 'Videos',
    next: 'More videos',
    by: 'by',
    closed: 'This video doesn’t exist or isn’t public.',
    elsewhere: 'This video is on another instance',
    elsewhereText: 'This instance doesn’t follow that one, so only signed-in users see its videos here.',
    watchOn: 'Watch it on',
    playlistClosed: 'This playlist doesn’t exist or isn’t public.',
    missing: 'This page doesn’t exist',
    toHome: 'Back to home',
    preparing: 'This video is being processed.',
    noScript: 'This page requires JavaScript.',
    play: 'Play',
    otherPlayer: 'Video not playing? Open it in another player.',
    search: 'Search',
    searchLabel: 'Search or paste a link',
    searchEmpty: 'No results found',
    searchElsewhere: 'Searching other instances requires JavaScript.',
    channels: 'Channels',
    offline: 'You’re offline',
    offlineText: 'Check your connection, then try again.',
    retry: 'Try again',
    channelMissing: 'This channel doesn’t exist',
    accountMissing: 'This account doesn’t exist',
    unavailable: 'This site is briefly unavailable. Please wait a moment, then reload the page.',
    tooMany: 'Too many requests. Please wait a moment, then reload the page.',
    failed: 'Something went wrong. Please try again.'
  },
  fr: {
    home: 'Vidéos',
    homeLists: 'Parcourir les vidéos',
    lists: { recent: 'Nouveautés', trending: 'Tendances', local: 'Local' },
    homeEmpty: 'Aucune vidéo pour l’instant',
    upload: 'Mettre en ligne',
    login: 'Connexion',
    videos: 'Vidéos',
    next: 'Autres vidéos',
    by: 'par',
    closed: 'Cette vidéo n’existe pas ou n’est pas publique.',
    elsewhere: 'Cette vidéo est sur une autre instance',
    elsewhereText: 'Cette instance ne la suit pas : seuls les utilisateurs connectés voient ses vidéos ici.',
    watchOn: 'La regarder sur',
    playlistClosed: 'Cette playlist n’existe pas ou n’est pas publique.',
    missing: 'Cette page n’existe pas',
    toHome: 'Retour à l’accueil',
    preparing: 'Cette vidéo est en cours de traitement.',
    noScript: 'Cette page nécessite JavaScript.',
    play: 'Lecture',
    otherPlayer: 'La vidéo ne démarre pas ? Ouvrez-la dans un autre lecteur.',
    search: 'Rechercher',
    searchLabel: 'Rechercher ou coller un lien',
    searchEmpty: 'Aucun résultat',
    searchElsewhere: 'La recherche sur d’autres instances nécessite JavaScript.',
    channels: 'Chaînes',
    offline: 'Vous êtes hors ligne',
    offlineText: 'Vérifiez votre connexion, puis réessayez.',
    retry: 'Réessayer',
    channelMissing: 'Cette chaîne n’existe pas',
    accountMissing: 'Ce compte n’existe pas',
    unavailable: 'Ce site est momentanément indisponible. Patientez un instant, puis rechargez la page.',
    tooMany: 'Trop de requêtes. Patientez un instant, puis rechargez la page.',
    failed: 'Une erreur s’est produite. Réessayez.'
  }
}

/** A language that pages are available in. */
export type PageLanguage = keyof typeof PAGE_TEXTS
/** The texts of a page in one language. */
export type PageTexts = (typeof PAGE_TEXTS)['en']

/** Returns the page texts of a language. */
export function pageTextsOf(language: PageLanguage): PageTexts {
  return PAGE_TEXTS[language]
}

/** Returns the language set in the cookie `bobine_language`, else the one that Accept-Language prefers, else English. */
export function requestLanguage(request: Request): PageLanguage {
  const chosen = readCookie(request, 'bobine_language')
  if (chosen && Object.hasOwn(PAGE_TEXTS, chosen)) return chosen as PageLanguage
  const preferred = request.acceptsLanguages(Object.keys(PAGE_TEXTS))
  return preferred ? (preferred as PageLanguage) : 'en'
}

/** Returns the theme set in the cookie `bobine_theme`; null follows the device. */
export function requestTheme(request: Request): 'light' | 'dark' | null {
  const chosen = readCookie(request, 'bobine_theme')
  return chosen === 'light' || chosen === 'dark' ? chosen : null
}

function readCookie(request: Request, name: string): string | null {
  return new RegExp(`(?:^|;\\s*)${name}=([a-z]{1,10})(?:;|$)`).exec(request.headers.cookie ?? '')?.[1] ?? null
}
