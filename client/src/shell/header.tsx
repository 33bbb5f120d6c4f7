import type { JSX } from 'preact'
import { useLocation } from 'preact-iso'
import { isLoggedIn } from '../credentials.ts'
import { currentLanguage, t } from '../i18n/i18n.ts'
import { UI_LANGUAGES, type UiLanguage } from '../i18n/languages.ts'
import { instanceConfig } from '../instance/config.ts'
import { logOut, currentUser } from '../session.ts'
import { Avatar } from '../ui/avatar.tsx'
import { ButtonLink, IconButton } from '../ui/button.tsx'
import { Icon, Logo } from '../ui/icon.tsx'
import { Menu, type MenuItem } from '../ui/menu.tsx'
import { chooseLanguage, chooseTheme, chosenTheme } from './preferences.ts'

/** The bar over every page: home, upload, and everything personal in one menu. */
export function Header(): JSX.Element {
  const { path, url, route } = useLocation()
  const name = instanceConfig.value?.instance.name ?? 'Bobine'
  const next = path === '/login' || path === '/signup' || path === '/' ? '' : `?next=${encodeURIComponent(url)}`
  return (
    <header class="bar">
      <a class="bar-home" href="/" aria-label={t('shell.home', { name })}>
        <Logo />
        <span class="bar-name">{name}</span>
      </a>
      <nav class="bar-links" aria-label={t('shell.navigation')}>
        <a class="icon-button bar-search" href="/search" aria-label={t('shell.search')} title={t('shell.search')}>
          <Icon name="search" />
        </a>
        <ButtonLink
          class="bar-upload"
          href={isLoggedIn.value ? '/upload' : '/login?next=%2Fupload'}
          icon="upload"
          aria-label={t('shell.upload')}
        >
          {t('shell.upload')}
        </ButtonLink>
        {!isLoggedIn.value && (
          <ButtonLink look="primary" href={`/login${next}`}>
            {t('shell.login')}
          </ButtonLink>
        )}
        <Menu
          label={t('shell.menu')}
          items={items(next, () => void logOut().then(() => route('/')))}
          trigger={props =>
            currentUser.value ? (
              <button
                type="button"
                class="bar-me"
                aria-label={t('shell.account', { name: currentUser.value.account.displayName })}
                {...props}
              >
                <Avatar of={currentUser.value.account} size="s" />
              </button>
            ) : (
              <IconButton label={t('shell.menu')} icon="menu" {...props} />
            )
          }
        />
      </nav>
    </header>
  )
}

function items(next: string, leave: () => void): MenuItem[] {
  const user = currentUser.value
  const personal: MenuItem[] = user
    ? [
        { kind: 'heading', text: user.account.displayName },
        { kind: 'link', text: t('shell.myVideos'), href: '/my/videos', icon: 'film' },
        { kind: 'link', text: t('channels.title'), href: '/my/channels', icon: 'channel' },
        { kind: 'link', text: t('subscriptions.title'), href: '/my/subscriptions', icon: 'heart' },
        { kind: 'link', text: t('shell.mySite'), href: `/a/${user.account.name}`, icon: 'user' },
        { kind: 'link', text: t('shell.settings'), href: '/settings', icon: 'settings' },
        ...(user.role.id <= 1
          ? ([
              { kind: 'link', text: t('shell.administration'), href: '/admin', icon: 'gear' },
              { kind: 'link', text: t('reports.name'), href: '/admin/reports', icon: 'alert' }
            ] as const)
          : []),
        { kind: 'action', text: t('shell.logout'), act: leave, icon: 'out' }
      ]
    : [
        { kind: 'link', text: t('shell.login'), href: `/login${next}`, icon: 'user' },
        ...(instanceConfig.value?.signup.allowed ? [{ kind: 'link', text: t('shell.signup'), href: '/signup', icon: 'plus' } as const] : [])
      ]
  return [
    ...personal,
    { kind: 'heading', text: t('shell.look') },
    ...(['system', 'light', 'dark'] as const).map(one => ({
      kind: 'choice' as const,
      text: t(THEME_NAMES[one]),
      icon: one === 'light' ? ('sun' as const) : one === 'dark' ? ('moon' as const) : one,
      chosen: chosenTheme.value === one,
      act: () => chooseTheme(one)
    })),
    { kind: 'heading', text: t('shell.language') },
    ...(Object.keys(UI_LANGUAGES) as UiLanguage[]).map(one => ({
      kind: 'choice' as const,
      text: UI_LANGUAGES[one].name,
      icon: 'globe' as const,
      chosen: currentLanguage() === one,
      act: () => void chooseLanguage(one)
    })),
    { kind: 'heading', text: instanceConfig.value?.instance.name ?? 'Bobine' },
    { kind: 'link', text: t('shell.about'), href: '/about', icon: 'info' }
  ]
}

/** The names of the themes. */
export const THEME_NAMES = { system: 'shell.themeSystem', light: 'shell.themeLight', dark: 'shell.themeDark' } as const
