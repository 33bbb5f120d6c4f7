/** The path of the page that the server rendered; pages opened since then are rendered by the client. */
export const initialPath = location.pathname

type MediaOrigins = { atOnce: string[]; afterPlay: string[] }
type InitialData = { answers?: Record<string, unknown>; mediaOrigins?: MediaOrigins }

const element = document.getElementById('bobine-data')
const initialData = (element?.textContent ? JSON.parse(element.textContent) : {}) as InitialData
/** Where this document may load remote videos from: before play is pressed, and only then (server/videos/media-origins.ts). */
export const mediaOrigins: MediaOrigins = initialData.mediaOrigins ?? { atOnce: [], afterPlay: [] }
const responses = new Map(Object.entries(initialData.answers ?? {}))
const markdownHtml = new Map(
  [...document.querySelectorAll<HTMLElement>('[data-markdown]')].map(node => [node.dataset.markdown, node.innerHTML])
)

/** Returns the response to a GET that the page contains, by its URL below the origin, and removes it; undefined without one. */
export function consumeInitialResponse(url: string): unknown {
  const response = responses.get(url)
  responses.delete(url)
  return response
}

/** Returns the same without removing it. */
export function peekInitialResponse(url: string): unknown {
  return responses.get(url)
}

/** Returns the HTML that the server rendered for a Markdown text of the page, by the id of what it describes. */
export function serverRenderedMarkdown(id: string): string | undefined {
  return markdownHtml.get(id)
}
