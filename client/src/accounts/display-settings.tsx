import type { JSX } from 'preact'
import type { User } from '../../../shared/accounts.ts'
import { api } from '../api.ts'
import { currentLanguage, t } from '../i18n/i18n.ts'
import { UI_LANGUAGES, type UiLanguage } from '../i18n/languages.ts'
import { loadCurrentUser } from '../session.ts'
import { THEME_NAMES } from '../shell/header.tsx'
import { chooseLanguage, chooseTheme, chosenTheme, type Theme } from '../shell/preferences.ts'
import { Select, Switch } from '../ui/field.tsx'
import { showToast } from '../ui/toast.tsx'

/** Language, colours and how videos begin. */
export function DisplaySettings({ user }: { user: User | null }): JSX.Element {
  const keep = async (body: { language?: string; autoPlayVideo?: boolean; nsfwPolicy?: 'display' | 'do_not_list' }) => {
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
        label={t('shell.language')}
        value={currentLanguage()}
        options={Object.entries(UI_LANGUAGES).map(([code, { name }]) => [code, name])}
        onText={code => {
          void chooseLanguage(code as UiLanguage)
          void keep({ language: code })
        }}
      />
      <Select
        label={t('shell.look')}
        value={chosenTheme.value}
        options={(['system', 'light', 'dark'] as const).map(one => [one, t(THEME_NAMES[one])])}
        onText={one => chooseTheme(one as Theme)}
      />
      {user && (
        <>
          <Switch
            label={t('settings.autoplay')}
            hint={t('settings.autoplayHint')}
            checked={user.autoPlayVideo}
            onChecked={autoPlayVideo => void keep({ autoPlayVideo })}
          />
          <Switch
            label={t('settings.sensitive')}
            hint={t('settings.sensitiveHint')}
            checked={user.nsfwPolicy !== 'do_not_list'}
            onChecked={on => void keep({ nsfwPolicy: on ? 'display' : 'do_not_list' })}
          />
        </>
      )}
    </div>
  )
}
