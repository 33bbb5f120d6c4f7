import { ActorHandle, type Account, type Channel } from '../../shared/actors.ts'
import { findAccount } from '../actors/accounts.query.ts'
import { findChannel } from '../channels/channels.query.ts'
import { instanceOrigin } from '../core/config.ts'
import { markdownToPlainText } from '../core/markdown.ts'
import { Problem } from '../core/problem.ts'
import { listVideos } from '../videos/videos.query.ts'
import { renderAvatar, renderVideoGrid } from './video-cards.ts'
import { html, jsonScript, type Html } from './html.ts'
import { markdownToSafeHtml } from './markdown.ts'
import { messagePage } from './message.page.ts'
import type { PageContext, ServerRenderedPage } from './server-rendered-page.ts'

const DESCRIPTION_LENGTH = 250

/** Renders a channel with its videos. */
export async function channelPage(handle: string, context: PageContext): Promise<ServerRenderedPage> {
  const channel = await findOrNull(handle, findChannel)
  if (!channel) return messagePage(context.texts.channelMissing, context, 404, 'src/channels/channel.page.tsx')
  const videos = await listVideos({ start: 0, sort: '-publishedAt' }, null, { channelId: channel.id, followedOnly: 'for visitors' })
  const key = encodeURIComponent(handle)
  return actorPage(
    channel,
    `/c/${handleOf(channel)}`,
    context,
    renderVideoGrid(videos.data, context.language, { withChannel: false, heading: 'h3' }),
    'src/channels/channel.page.tsx',
    {
      [`/api/v1/video-channels/${key}`]: channel,
      [`/api/v1/video-channels/${key}/videos?start=0&sort=-publishedAt`]: videos
    }
  )
}

/** Renders an account with its videos. */
export async function accountPage(name: string, context: PageContext): Promise<ServerRenderedPage> {
  const account = await findOrNull(name, findAccount)
  if (!account) return messagePage(context.texts.accountMissing, context, 404, 'src/accounts/account.page.tsx')
  const videos = await listVideos({ start: 0, sort: '-publishedAt' }, null, { accountId: account.id, followedOnly: 'for visitors' })
  const key = encodeURIComponent(name)
  return actorPage(
    account,
    `/a/${handleOf(account)}`,
    context,
    renderVideoGrid(videos.data, context.language, { heading: 'h3' }),
    'src/accounts/account.page.tsx',
    {
      [`/api/v1/accounts/${key}`]: account,
      [`/api/v1/accounts/${key}/videos?start=0&sort=-publishedAt`]: videos
    }
  )
}

/** Returns the path of the page of the account or channel with this name; null where there is none. */
export async function findActorPagePath(name: string): Promise<string | null> {
  const account = await findOrNull(name, findAccount)
  if (account) return `/a/${handleOf(account)}`
  const channel = await findOrNull(name, findChannel)
  return channel && `/c/${handleOf(channel)}`
}

function actorPage(
  actor: Account | Channel,
  path: string,
  { texts }: PageContext,
  grid: Html,
  source: string,
  apiResponses: Record<string, unknown>
): ServerRenderedPage {
  const description = markdownToPlainText(actor.description ?? '', DESCRIPTION_LENGTH)
  const largestAvatar = [...actor.avatars].sort((a, b) => b.width - a.width)[0]
  const image = largestAvatar && `${instanceOrigin()}${largestAvatar.path}`
  return {
    status: 200,
    title: actor.displayName,
    description,
    canonical: path,
    source,
    apiResponses,
    head: html`<meta property="og:type" content="profile">
      <meta property="og:title" content="${actor.displayName}">
      <meta property="og:url" content="${instanceOrigin()}${path}">
      ${description && html`<meta property="og:description" content="${description}">`}
      ${image && html`<meta property="og:image" content="${image}">`}
      <meta name="twitter:card" content="summary">
      ${jsonScript('application/ld+json', null, {
        '@context': 'https://schema.org',
        '@type': 'ProfilePage',
        dateCreated: actor.createdAt,
        dateModified: actor.updatedAt,
        mainEntity: {
          '@type': 'Person',
          name: actor.displayName,
          url: `${instanceOrigin()}${path}`,
          ...(description ? { description } : {}),
          ...(image ? { image } : {})
        }
      })}`,
    body: html`<div class="page">
      <header class="profile">${renderAvatar(actor, 'l')}<div class="profile-words"><h1>${actor.displayName}</h1><p class="soft">@${handleOf(actor)}</p></div></header>
      ${actor.description && html`<div class="profile-about"><div class="prose" data-markdown="${actor.url}">${markdownToSafeHtml(actor.description)}</div></div>`}
      <h2 class="section-title">${texts.videos}</h2>
      ${grid}
    </div>`
  }
}

async function findOrNull<T>(handle: string, find: (handle: string) => Promise<T>): Promise<T | null> {
  if (!ActorHandle.safeParse(handle).success) return null
  return await find(handle).catch((error: unknown) => {
    if (error instanceof Problem && error.status === 404) return null
    throw error
  })
}

function handleOf({ name, host }: { name: string; host: string }): string {
  return instanceOrigin().endsWith(`//${host}`) ? name : `${name}@${host}`
}
