import type { JSX } from 'preact'
import { useLocation } from 'preact-iso'
import { isLoggedIn } from '../credentials.ts'
import { currentLanguage, t } from '../i18n/i18n.ts'
import { UI_LANGUAGES, type UiLanguage } from '../i18n/languages.ts'
import { instanceConfig } from '../instance/config.ts'
import { InstanceMark } from '../instance/instance-mark.tsx'
import { watchLaterPlaylistId } from '../playlists/watch-later.ts'
import { logOut, currentUser } from '../session.ts'
import { Avatar } from '../ui/avatar.tsx'
import { ButtonLink, IconButton } from '../ui/button.tsx'
import { Icon } from '../ui/icon.tsx'
import { Menu, type MenuItem } from '../ui/menu.tsx'
import { chooseLanguage, chooseTheme, chosenTheme, THEME_NAMES } from '../page/preferences.ts'

/** The header of every page: home, search, upload, and a menu with everything personal. */
export function Header(): JSX.Element {
  const { path, url, route } = useLocation()
  const name = instanceConfig.value?.instance.name ?? 'Bobine'
  const nextQuery = path === '/login' || path === '/signup' || path === '/' ? '' : `?next=${encodeURIComponent(url)}`
  return (
    <header class="bar">
      <a class="bar-home" href="/" aria-label={t('app.home', { name })}>
        <InstanceMark />
        <span class="bar-name">{name}</span>
      </a>
      <nav class="bar-links" aria-label={t('app.navigation')}>
        <a class="icon-button bar-search" href="/search" aria-label={t('app.search')} title={t('app.search')}>
          <Icon name="search" />
        </a>
        <ButtonLink
          class="bar-upload"
          href={isLoggedIn.value ? '/upload' : '/login?next=%2Fupload'}
          icon="upload"
          aria-label={t('app.upload')}
        >
          {t('app.upload')}
        </ButtonLink>
        {!isLoggedIn.value && (
          <ButtonLink look="primary" href={`/login${nextQuery}`}>
            {t('app.login')}
          </ButtonLink>
        )}
        <Menu
          label={t('app.menu')}
          items={menuItems(nextQuery, () => void logOut().then(() => route('/')))}
          trigger={props =>
            currentUser.value ? (
              <button
                type="button"
                class="bar-me"
                aria-label={t('app.account', { name: currentUser.value.account.displayName })}
                {...props}
              >
                <Avatar of={currentUser.value.account} size="s" />
              </button>
            ) : (
              <IconButton label={t('app.menu')} icon="menu" {...props} />
            )
          }
        />
      </nav>
    </header>
  )
}

function menuItems(nextQuery: string, onLogOut: () => void): MenuItem[] {
  const user = currentUser.value
  const watchLaterId = watchLaterPlaylistId(user)
  const userItems: MenuItem[] = user
    ? [
        { kind: 'heading', text: user.account.displayName },
        { kind: 'link', text: t('app.myVideos'), href: '/my/videos', icon: 'film' },
        { kind: 'link', text: t('channels.title'), href: '/my/channels', icon: 'channel' },
        { kind: 'link', text: t('subscriptions.title'), href: '/my/subscriptions', icon: 'heart' },
        ...(watchLaterId === null
          ? []
          : [{ kind: 'link', text: t('playlist.watchLater'), href: `/w/p/${watchLaterId}`, icon: 'clock' } as const]),
        { kind: 'link', text: t('app.mySite'), href: `/a/${user.account.name}`, icon: 'user' },
        { kind: 'link', text: t('app.settings'), href: '/settings', icon: 'settings' },
        ...(user.role.id <= 1
          ? ([
              { kind: 'link', text: t('app.administration'), href: '/admin', icon: 'gear' },
              { kind: 'link', text: t('reports.name'), href: '/admin/reports', icon: 'alert' }
            ] as const)
          : []),
        { kind: 'action', text: t('app.logout'), act: onLogOut, icon: 'out' }
      ]
    : [
        { kind: 'link', text: t('app.login'), href: `/login${nextQuery}`, icon: 'user' },
        ...(instanceConfig.value?.signup.allowed ? [{ kind: 'link', text: t('app.signup'), href: '/signup', icon: 'plus' } as const] : [])
      ]
  return [
    ...userItems,
    { kind: 'heading', text: t('app.look') },
    ...(['system', 'light', 'dark'] as const).map(theme => ({
      kind: 'choice' as const,
      text: t(THEME_NAMES[theme]),
      icon: theme === 'light' ? ('sun' as const) : theme === 'dark' ? ('moon' as const) : theme,
      chosen: chosenTheme.value === theme,
      act: () => chooseTheme(theme)
    })),
    { kind: 'heading', text: t('app.language') },
    ...(Object.keys(UI_LANGUAGES) as UiLanguage[]).map(language => ({
      kind: 'choice' as const,
      text: UI_LANGUAGES[language].name,
      icon: 'globe' as const,
      chosen: currentLanguage() === language,
      act: () => void chooseLanguage(language)
    })),
    { kind: 'heading', text: instanceConfig.value?.instance.name ?? 'Bobine' },
    { kind: 'link', text: t('app.about'), href: '/about', icon: 'info' }
  ]
}
