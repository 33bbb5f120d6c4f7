import type { JSX } from 'preact'
import { lazy } from 'preact-iso'
import { loadAdminTexts } from '../i18n/i18n.ts'

/** Whether Vite's development server shows the pages; never in a build. */
declare const DEVELOPMENT: boolean

const administration = (page: () => Promise<{ default: () => JSX.Element }>) =>
  lazy(async () => (await Promise.all([page(), loadAdminTexts()]))[0])

/** Every page: its address and where its code is; the code comes when the page is opened. */
export const PAGE_ROUTES = [
  { path: '/', view: lazy(() => import('../videos/home.page.tsx')) },
  { path: '/w/:id', view: lazy(() => import('../videos/watch.page.tsx')) },
  { path: '/search', view: lazy(() => import('../search/search.page.tsx')) },
  { path: '/upload', view: lazy(() => import('../upload/upload.page.tsx')) },
  { path: '/my/videos', view: lazy(() => import('../videos/my-videos.page.tsx')) },
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
  { path: '/settings', view: lazy(() => import('../accounts/settings.page.tsx')) },
  { path: '/admin', view: administration(() => import('../admin/admin.page.tsx')) },
  { path: '/admin/health', view: administration(() => import('../admin/health.page.tsx')) },
  { path: '/admin/users', view: administration(() => import('../admin/users.page.tsx')) },
  { path: '/admin/jobs', view: administration(() => import('../admin/jobs.page.tsx')) },
  { path: '/admin/settings', view: administration(() => import('../admin/instance-settings.page.tsx')) },
  { path: '/admin/federation', view: administration(() => import('../federation/federation.page.tsx')) },
  { path: '/admin/reports', view: administration(() => import('../moderation/reports.page.tsx')) },
  { path: '/about', view: lazy(() => import('../instance/about.page.tsx')) },
  ...(DEVELOPMENT ? [{ path: '/design', view: lazy(() => import('../design/design.page.tsx')) }] : [])
]

/** The page for an address nobody knows. */
export const NotFoundPage = lazy(() => import('../instance/not-found.page.tsx'))

/** Loads the code of the page at a path, so that its first drawing waits for nothing. */
export async function preloadPage(path: string): Promise<void> {
  const route = PAGE_ROUTES.find(route => matches(route.path, path))
  await (route?.view ?? NotFoundPage).preload()
}

function matches(pattern: string, path: string): boolean {
  const [wanted, given] = [pattern, path].map(one => one.split('/').filter(Boolean))
  return wanted!.length === given!.length && wanted!.every((part, index) => part.startsWith(':') || part === given![index])
}
