import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { api, addressOf } from '../api.ts'
import { isLoggedIn } from '../credentials.ts'
import { takeAnswer } from '../first-data.ts'
import { t } from '../i18n/i18n.ts'
import { useTitle } from '../shell/title.ts'
import { ButtonLink } from '../ui/button.tsx'
import { State } from '../ui/state.tsx'
import { Endless } from './endless.tsx'

type Page = Awaited<ReturnType<typeof load>>

/** The newest videos. */
export default function Home(): JSX.Element {
  useTitle('')
  const [first] = useState(() => takeAnswer(addressOf('GET /videos', question(0))) as Page | undefined)
  return (
    <div class="page">
      <h1 class="home-title">{t('home.title')}</h1>
      <Endless name="home" heading="h2" load={load} first={first} empty={(
        <State icon="film" title={t('home.empty')}>
          <p>{t('home.emptyText')}</p>
          <ButtonLink look="primary" icon="upload" href={isLoggedIn.value ? '/upload' : '/login?next=%2Fupload'}>{t('home.emptyAction')}</ButtonLink>
        </State>
      )} />
    </div>
  )
}

async function load(start: number) {
  return await api('GET /videos', question(start))
}

function question(start: number) {
  return { query: { start, sort: '-publishedAt' as const } }
}
