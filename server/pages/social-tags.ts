import { instanceOrigin } from '../core/config.ts'
import { html, type Html } from './html.ts'

/** What other sites show of a page that can be embedded: paths below the origin, the size of its player in pixels. */
export type SharedPage = {
  type: 'video.other' | 'video'
  title: string
  description: string
  image: string | null
  path: string
  embedPath: string
  size: { width: number; height: number }
}

/** Renders the head elements of an embedded player: those PeerTube's has, by which programs name what they found, and oEmbed discovery. */
export function renderEmbedTags({ title, description, image, path }: Pick<SharedPage, 'title' | 'description' | 'image' | 'path'>): Html {
  return html`${renderOembedLink(path, title)}
    <meta property="name" content="${title}">
    ${description && html`<meta property="description" content="${description}">`}
    ${image && html`<meta property="image" content="${instanceOrigin()}${image}">`}`
}

/** Renders the link of oEmbed discovery (oembed.com §4). */
function renderOembedLink(path: string, title: string): Html {
  const url = encodeURIComponent(instanceOrigin() + path)
  return html`<link rel="alternate" type="application/json+oembed" href="${instanceOrigin()}/services/oembed?url=${url}&format=json" title="${title}">`
}

/** Renders the head elements of Open Graph (ogp.me), Twitter cards and oEmbed discovery. */
export function renderSocialTags({ type, title, description, image, path, embedPath, size }: SharedPage): Html {
  const [url, embed] = [instanceOrigin() + path, instanceOrigin() + embedPath]
  const imageUrl = image && instanceOrigin() + image
  return html`${renderOembedLink(path, title)}
    <meta property="og:type" content="${type}">
    <meta property="og:title" content="${title}">
    <meta property="og:url" content="${url}">
    ${description && html`<meta property="og:description" content="${description}">`}
    ${imageUrl && html`<meta property="og:image" content="${imageUrl}">`}
    <meta property="og:video:url" content="${embed}">
    <meta property="og:video:secure_url" content="${embed}">
    <meta property="og:video:type" content="text/html">
    <meta property="og:video:width" content="${size.width}">
    <meta property="og:video:height" content="${size.height}">
    <meta name="twitter:card" content="player">
    <meta name="twitter:title" content="${title}">
    ${description && html`<meta name="twitter:description" content="${description}">`}
    ${imageUrl && html`<meta name="twitter:image" content="${imageUrl}">`}
    <meta name="twitter:player" content="${embed}">
    <meta name="twitter:player:width" content="${size.width}">
    <meta name="twitter:player:height" content="${size.height}">`
}
