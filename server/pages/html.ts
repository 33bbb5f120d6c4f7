/** A piece of HTML whose values are escaped; only the `html` tag makes one. */
export class Html {
  readonly text: string
  constructor(text: string) {
    this.text = text
  }
}

type Value = Html | string | number | null | undefined | false | Html[]

/**
 * Writes HTML: html`<p>${text}</p>` escapes `text`; pieces of HTML and lists of them go in as they are; null, undefined and false are
 * nothing.
 */
export function html(texts: TemplateStringsArray, ...values: Value[]): Html {
  return new Html(texts.reduce((sum, part, index) => sum + written(values[index - 1]) + part))
}

/** HTML that comes out of a sanitizer. */
export function sanitizedHtml(text: string): Html {
  return new Html(text)
}

/** Data for a script element of the page: nothing in it can end the element or start a comment, and no line separator breaks it. */
export function jsonScript(type: string, id: string | null, data: unknown): Html {
  const text = JSON.stringify(data).replace(
    /[<>&\u2028\u2029]/g,
    character => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
  )
  return new Html(`<script type="${type}"${id === null ? '' : ` id="${id}"`}>${text}</script>`)
}

function written(value: Value): string {
  if (value === null || value === undefined || value === false) return ''
  if (value instanceof Html) return value.text
  if (Array.isArray(value)) return value.map(one => one.text).join('')
  return String(value).replace(/[&<>"'`]/g, character => `&#${character.charCodeAt(0)};`)
}
