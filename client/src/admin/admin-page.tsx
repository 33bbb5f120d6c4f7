import type { ComponentChildren, JSX } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import type { User } from '../../../shared/accounts.ts'
import type { TextKey } from '../i18n/catalogue.ts'
import { t } from '../i18n/i18n.ts'
import { loadCurrentUser, currentUser } from '../session.ts'
import { RequireLogin } from '../shell/require-login.tsx'
import { useTitle } from '../shell/title.ts'
import { ButtonLink } from '../ui/button.tsx'
import { Icon, type IconName } from '../ui/icon.tsx'
import { EmptyState } from '../ui/feedback.tsx'
import './admin-page.css'

const ADMINISTRATOR = 0
const MODERATOR = 1

/** The rooms of those who run the site, and who may enter. */
const ROOMS = {
  health: { path: '/admin/health', name: 'health.name', icon: 'speed', role: ADMINISTRATOR },
  users: { path: '/admin/users', name: 'users.name', icon: 'user', role: MODERATOR },
  reports: { path: '/admin/reports', name: 'reports.name', icon: 'alert', role: MODERATOR },
  jobs: { path: '/admin/jobs', name: 'jobs.name', icon: 'loop', role: ADMINISTRATOR },
  federation: { path: '/admin/federation', name: 'federation.name', icon: 'globe', role: ADMINISTRATOR },
  settings: { path: '/admin/settings', name: 'site.name', icon: 'settings', role: ADMINISTRATOR }
} as const satisfies Record<string, { path: string; name: TextKey; icon: IconName; role: number }>

/** The name of a room. */
export type AdminSection = keyof typeof ROOMS

/** One of the rooms of those who run the site, with the way to the others; whoever may not enter is told so. */
export function AdminPage({
  room,
  acts,
  children
}: {
  room: AdminSection
  acts?: ComponentChildren
  children: (user: User) => ComponentChildren
}): JSX.Element {
  useTitle(t(ROOMS[room].name))
  return (
    <RequireLogin>
      <Inside room={room} acts={acts}>
        {children}
      </Inside>
    </RequireLogin>
  )
}

/** Where somebody who runs the site begins. */
export function firstAllowedAdminPath(user: Pick<User, 'role'>): string | null {
  return Object.values(ROOMS).find(({ role }) => user.role.id <= role)?.path ?? null
}

function Inside({
  room,
  acts,
  children
}: {
  room: AdminSection
  acts?: ComponentChildren
  children: (user: User) => ComponentChildren
}): JSX.Element {
  useEffect(() => {
    if (!currentUser.peek())
      loadCurrentUser().catch(() => {
        /* the room stays empty until it is known who is here */
      })
  }, [])
  const user = currentUser.value
  const { role, name } = ROOMS[room]
  if (user && user.role.id > role)
    return (
      <div class="page">
        <EmptyState heading="h1" icon="lock" title={t(role === MODERATOR ? 'reports.forbidden' : 'federation.forbidden')}>
          <ButtonLink href="/">{t('ui.toHome')}</ButtonLink>
        </EmptyState>
      </div>
    )
  return (
    <div class="page admin">
      <Ways room={room} user={user} />
      <div class="admin-room">
        <div class="page-head">
          <h1>{t(name)}</h1>
          {acts}
        </div>
        {user && children(user)}
      </div>
    </div>
  )
}

function Ways({ room, user }: { room: AdminSection; user: User | null }): JSX.Element {
  const nav = useRef<HTMLElement>(null)
  useEffect(() => {
    // On a phone the ways are a row that may be wider than the screen.
    const current = nav.current?.querySelector<HTMLElement>('[aria-current]')
    if (current)
      nav.current!.scrollLeft = current.offsetLeft - nav.current!.offsetLeft - (nav.current!.clientWidth - current.offsetWidth) / 2
  }, [room, user])
  return (
    <nav ref={nav} class="admin-ways" aria-label={t('shell.administration')}>
      {user &&
        Object.entries(ROOMS)
          .filter(([, { role }]) => user.role.id <= role)
          .map(([one, { path, name, icon }]) => (
            <a key={one} href={path} aria-current={one === room ? 'page' : undefined}>
              <Icon name={icon} />
              <span>{t(name)}</span>
            </a>
          ))}
    </nav>
  )
}
