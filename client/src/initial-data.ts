/** The path that the server was asked for; pages opened since then were drawn here. */
export const initialPath = location.pathname

type FirstData = { answers?: Record<string, unknown> }

const element = document.getElementById('bobine-data')
const given = (element?.textContent ? JSON.parse(element.textContent) : {}) as FirstData
const answers = new Map(Object.entries(given.answers ?? {}))
const texts = new Map([...document.querySelectorAll<HTMLElement>('[data-markdown]')].map(node => [node.dataset.markdown, node.innerHTML]))

/** The answer to a GET that came with the page, by its address below the origin; it serves once. */
export function consumeInitialResponse(url: string): unknown {
  const answer = answers.get(url)
  answers.delete(url)
  return answer
}

/** The answer that came with the page, left in place for `consumeInitialResponse`. */
export function peekInitialResponse(url: string): unknown {
  return answers.get(url)
}

/** The HTML the server wrote for a Markdown text of the page, by the id of what it describes. */
export function serverRenderedMarkdown(id: string): string | undefined {
  return texts.get(id)
}
