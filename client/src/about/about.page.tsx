import type { JSX } from 'preact'
import { useEffect } from 'preact/hooks'
import type { ActorImage } from '../../../shared/actors.ts'
import type { TextKey } from '../i18n/catalogue.ts'
import { formatNumber, languageName, t } from '../i18n/i18n.ts'
import { useTitle } from '../page/title.ts'
import { Markdown } from '../ui/markdown.tsx'
import { ErrorState } from '../ui/feedback.tsx'
import { useQuery } from '../use-query.ts'
import { instanceConfig, loadInstanceConfig } from '../instance/config.ts'
import { InstanceMark } from '../instance/instance-mark.tsx'
import './about.css'

const INFORMATION_FIELDS: [field: string, title: TextKey][] = [
  ['terms', 'about.terms'],
  ['codeOfConduct', 'about.conduct'],
  ['moderationInformation', 'about.moderation'],
  ['administrator', 'about.administrator'],
  ['creationReason', 'about.reason'],
  ['maintenanceLifetime', 'about.lifetime'],
  ['businessModel', 'about.money'],
  ['hardwareInformation', 'about.hardware']
]

/** The description of the instance, its statistics and its software. */
export default function AboutPage(): JSX.Element {
  useTitle(t('app.about'))
  useEffect(() => {
    loadInstanceConfig().catch(() => {
      /* only the version of the software is missing then */
    })
  }, [])
  const { data, error, reload } = useQuery('GET /config/about', {})
  const { data: stats } = useQuery('GET /server/stats', {})
  if (error)
    return (
      <div class="page page-narrow">
        <ErrorState text={t('ui.noConnection')} onRetry={reload} />
      </div>
    )
  if (!data) return <div class="page page-narrow" aria-busy="true" />
  const instance = data.instance as {
    name: string
    shortDescription?: string
    languages?: string[]
    banners?: ActorImage[]
  } & Record<string, unknown>
  const text = (field: string) => (typeof instance[field] === 'string' ? (instance[field] as string).trim() : '')
  const languages = instance.languages ?? []
  const banner = [...(instance.banners ?? [])].sort((a, b) => b.width - a.width)[0]
  return (
    <div class="page page-narrow about">
      {banner && <img class="about-banner" src={banner.path} alt="" width={banner.width} height={banner.height} />}
      <header class="about-head">
        <InstanceMark size="l" />
        <div>
          <h1>{instance.name}</h1>
          {text('shortDescription') && <p class="soft">{text('shortDescription')}</p>}
        </div>
      </header>
      {text('description') && <Markdown text={text('description')} id="about-description" />}
      {stats && (
        <dl class="about-numbers">
          <div>
            <dt>{t('about.videos')}</dt>
            <dd>{formatNumber(stats.totalLocalVideos)}</dd>
          </div>
          <div>
            <dt>{t('about.people')}</dt>
            <dd>{formatNumber(stats.totalUsers)}</dd>
          </div>
        </dl>
      )}
      {languages.length > 0 && (
        <section>
          <h2>{t('about.languages')}</h2>
          <p>{languages.map(code => languageName(code)).join(', ')}</p>
        </section>
      )}
      {INFORMATION_FIELDS.filter(([field]) => text(field) !== '').map(([field, title]) => (
        <section key={field}>
          <h2>{t(title)}</h2>
          <Markdown text={text(field)} id={`about-${field}`} />
        </section>
      ))}
      <section class="about-software">
        <h2>{t('about.software')}</h2>
        <p>{t('about.softwareText')}</p>
        {instanceConfig.value && <p class="soft small">{t('about.version', { version: instanceConfig.value.bobine.version })}</p>}
      </section>
    </div>
  )
}
