import type { JSX } from 'preact'
import type { User } from '../../../shared/accounts.ts'
import { api } from '../api.ts'
import { currentLanguage, t } from '../i18n/i18n.ts'
import { UI_LANGUAGES, type UiLanguage } from '../i18n/languages.ts'
import { loadCurrentUser } from '../session.ts'
import { chooseLanguage, chooseTheme, chosenTheme, THEME_NAMES, type Theme } from '../page/preferences.ts'
import { Select, Switch } from '../ui/field.tsx'
import { showToast } from '../ui/toast.tsx'

/** The settings of the interface: language, theme and, for a logged-in user, autoplay and sensitive videos. */
export function DisplaySettings({ user }: { user: User | null }): JSX.Element {
  const saveSettings = async (body: { language?: string; autoPlayVideo?: boolean; nsfwPolicy?: 'display' | 'do_not_list' }) => {
    try {
      await api('PUT /users/me', { body })
      await loadCurrentUser()
    } catch {
      showToast(t('ui.noConnection'), { bad: true })
    }
  }
  return (
    <div class="form">
      <Select
        label={t('app.language')}
        value={currentLanguage()}
        options={Object.entries(UI_LANGUAGES).map(([code, { name }]) => [code, name])}
        onText={code => {
          void chooseLanguage(code as UiLanguage)
          void saveSettings({ language: code })
        }}
      />
      <Select
        label={t('app.look')}
        value={chosenTheme.value}
        options={(['system', 'light', 'dark'] as const).map(theme => [theme, t(THEME_NAMES[theme])])}
        onText={theme => chooseTheme(theme as Theme)}
      />
      {user && (
        <>
          <Switch
            label={t('settings.autoplay')}
            hint={t('settings.autoplayHint')}
            checked={user.autoPlayVideo}
            onChecked={autoPlayVideo => void saveSettings({ autoPlayVideo })}
          />
          <Switch
            label={t('settings.sensitive')}
            hint={t('settings.sensitiveHint')}
            checked={user.nsfwPolicy !== 'do_not_list'}
            onChecked={shown => void saveSettings({ nsfwPolicy: shown ? 'display' : 'do_not_list' })}
          />
        </>
      )}
    </div>
  )
}
