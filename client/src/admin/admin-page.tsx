import type { ComponentChildren, JSX } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import type { User } from '../../../shared/accounts.ts'
import type { TextKey } from '../i18n/catalogue.ts'
import { t } from '../i18n/i18n.ts'
import { loadCurrentUser, currentUser } from '../session.ts'
import { RequireLogin } from '../page/require-login.tsx'
import { useTitle } from '../page/title.ts'
import { ButtonLink } from '../ui/button.tsx'
import { Icon, type IconName } from '../ui/icon.tsx'
import { EmptyState } from '../ui/feedback.tsx'
import { scrollToCentre } from '../ui/scroll-to-centre.ts'
import './admin-page.css'

const ADMINISTRATOR_ROLE_ID = 0
const MODERATOR_ROLE_ID = 1

/** The sections of the administration; `role` is the highest role id (the least privileged role) that may open a section. */
const ADMIN_SECTIONS = {
  health: { path: '/admin/health', name: 'health.name', icon: 'speed', role: ADMINISTRATOR_ROLE_ID },
  users: { path: '/admin/users', name: 'users.name', icon: 'user', role: MODERATOR_ROLE_ID },
  reports: { path: '/admin/reports', name: 'reports.name', icon: 'alert', role: MODERATOR_ROLE_ID },
  comments: { path: '/admin/comments', name: 'moderation.comments', icon: 'comment', role: MODERATOR_ROLE_ID },
  jobs: { path: '/admin/jobs', name: 'jobs.name', icon: 'loop', role: ADMINISTRATOR_ROLE_ID },
  federation: { path: '/admin/federation', name: 'federation.name', icon: 'globe', role: ADMINISTRATOR_ROLE_ID },
  settings: { path: '/admin/settings', name: 'site.name', icon: 'settings', role: ADMINISTRATOR_ROLE_ID }
} as const satisfies Record<string, { path: string; name: TextKey; icon: IconName; role: number }>

/** The key of a section of the administration. */
export type AdminSection = keyof typeof ADMIN_SECTIONS

/** The frame of a section of the administration: navigation, title and content, or a notice for users without the required role. */
export function AdminPage({
  section,
  actions,
  children
}: {
  section: AdminSection
  actions?: ComponentChildren
  children: (user: User) => ComponentChildren
}): JSX.Element {
  useTitle(t(ADMIN_SECTIONS[section].name))
  return (
    <RequireLogin>
      <AdminPageContent section={section} actions={actions}>
        {children}
      </AdminPageContent>
    </RequireLogin>
  )
}

/** Returns the path of the first section that the user may open, null if there is none. */
export function firstAllowedAdminPath(user: Pick<User, 'role'>): string | null {
  return Object.values(ADMIN_SECTIONS).find(({ role }) => user.role.id <= role)?.path ?? null
}

function AdminPageContent({
  section,
  actions,
  children
}: {
  section: AdminSection
  actions?: ComponentChildren
  children: (user: User) => ComponentChildren
}): JSX.Element {
  useEffect(() => {
    if (!currentUser.peek())
      loadCurrentUser().catch(() => {
        /* the section stays empty until the user is known */
      })
  }, [])
  const user = currentUser.value
  const { role, name } = ADMIN_SECTIONS[section]
  if (user && user.role.id > role)
    return (
      <div class="page">
        <EmptyState heading="h1" icon="lock" title={t(role === MODERATOR_ROLE_ID ? 'moderation.forbidden' : 'federation.forbidden')}>
          <ButtonLink href="/">{t('ui.toHome')}</ButtonLink>
        </EmptyState>
      </div>
    )
  return (
    <div class="page admin">
      <AdminNav section={section} user={user} />
      <div class="admin-content">
        <div class="page-head">
          <h1>{t(name)}</h1>
          {actions}
        </div>
        {user && children(user)}
      </div>
    </div>
  )
}

function AdminNav({ section, user }: { section: AdminSection; user: User | null }): JSX.Element {
  const nav = useRef<HTMLElement>(null)
  useEffect(() => {
    // On narrow screens the navigation is a scrollable row: show the current section.
    scrollToCentre(nav.current!, nav.current!.querySelector('[aria-current]'))
  }, [section, user])
  return (
    <nav ref={nav} class="admin-ways" aria-label={t('app.administration')}>
      {user &&
        Object.entries(ADMIN_SECTIONS)
          .filter(([, { role }]) => user.role.id <= role)
          .map(([id, { path, name, icon }]) => (
            <a key={id} href={path} aria-current={id === section ? 'page' : undefined}>
              <Icon name={icon} />
              <span>{t(name)}</span>
            </a>
          ))}
    </nav>
  )
}
