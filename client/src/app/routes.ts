import type { JSX } from 'preact'
import { lazy } from 'preact-iso'
import { loadTextGroup } from '../i18n/i18n.ts'
import type { TextGroup } from '../i18n/languages.ts'

/** Whether Vite's development server serves the pages; false in a build (vite.config.ts). */
declare const DEVELOPMENT: boolean

/** A page that also needs the texts of a group. */
const lazyWithTexts = (group: TextGroup, loadPage: () => Promise<{ default: () => JSX.Element }>) =>
  lazy(async () => (await Promise.all([loadPage(), loadTextGroup(group)]))[0])

/** The path of every page and its component, whose code is loaded when the page is opened. */
export const PAGE_ROUTES = [
  { path: '/', view: lazy(() => import('../videos/home.page.tsx')) },
  { path: '/w/:id', view: lazy(() => import('../watch/watch.page.tsx')) },
  { path: '/w/p/:id', view: lazy(() => import('../playlists/playlist.page.tsx')) },
  { path: '/search', view: lazy(() => import('../search/search.page.tsx')) },
  { path: '/upload', view: lazyWithTexts('creator', () => import('../upload/upload.page.tsx')) },
  { path: '/my/videos', view: lazyWithTexts('creator', () => import('../videos/my-videos.page.tsx')) },
  { path: '/my/videos/:id', view: lazy(() => import('../videos/edit-video.page.tsx')) },
  { path: '/my/channels', view: lazy(() => import('../channels/my-channels.page.tsx')) },
  { path: '/my/new-channel', view: lazy(() => import('../channels/new-channel.page.tsx')) },
  { path: '/my/channels/:handle', view: lazy(() => import('../channels/edit-channel.page.tsx')) },
  { path: '/my/subscriptions', view: lazy(() => import('../subscriptions/subscriptions.page.tsx')) },
  { path: '/my/reports', view: lazy(() => import('../moderation/my-reports.page.tsx')) },
  { path: '/c/:handle', view: lazy(() => import('../channels/channel.page.tsx')) },
  { path: '/a/:name', view: lazy(() => import('../accounts/account.page.tsx')) },
  { path: '/login', view: lazy(() => import('../accounts/login.page.tsx')) },
  { path: '/signup', view: lazy(() => import('../accounts/signup.page.tsx')) },
  { path: '/settings', view: lazyWithTexts('creator', () => import('../accounts/settings.page.tsx')) },
  { path: '/admin', view: lazyWithTexts('admin', () => import('../admin/admin.page.tsx')) },
  { path: '/admin/health', view: lazyWithTexts('admin', () => import('../admin/health.page.tsx')) },
  { path: '/admin/users', view: lazyWithTexts('admin', () => import('../admin/users.page.tsx')) },
  { path: '/admin/jobs', view: lazyWithTexts('admin', () => import('../admin/jobs.page.tsx')) },
  { path: '/admin/settings', view: lazyWithTexts('admin', () => import('../admin/instance-settings.page.tsx')) },
  { path: '/admin/federation', view: lazyWithTexts('admin', () => import('../federation/federation.page.tsx')) },
  { path: '/admin/comments', view: lazyWithTexts('admin', () => import('../moderation/comments.page.tsx')) },
  { path: '/admin/reports', view: lazyWithTexts('admin', () => import('../moderation/reports.page.tsx')) },
  { path: '/about', view: lazy(() => import('../about/about.page.tsx')) },
  ...(DEVELOPMENT ? [{ path: '/design', view: lazy(() => import('../design/design.page.tsx')) }] : [])
]

/** The page for unknown paths. */
export const NotFoundPage = lazy(() => import('./not-found.page.tsx'))

/** Loads the code of the page at a path, so that it can be rendered at once. */
export async function preloadPage(path: string): Promise<void> {
  const route = PAGE_ROUTES.find(route => matchesRoute(route.path, path))
  await (route?.view ?? NotFoundPage).preload()
}

function matchesRoute(pattern: string, path: string): boolean {
  const [expected, actual] = [pattern, path].map(value => value.split('/').filter(Boolean))
  return expected!.length === actual!.length && expected!.every((segment, index) => segment.startsWith(':') || segment === actual![index])
}
