/** A piece of HTML whose values are already escaped. */
export class Html {
  readonly text: string
  constructor(text: string) {
    this.text = text
  }
}

type HtmlValue = Html | string | number | null | undefined | false | Html[]

/**
 * Template tag for HTML: html`<p>${text}</p>` escapes `text`; Html values and arrays of them are inserted as they are; null, undefined and
 * false are inserted as nothing.
 */
export function html(texts: TemplateStringsArray, ...values: HtmlValue[]): Html {
  return new Html(texts.reduce((result, part, index) => result + renderValue(values[index - 1]) + part))
}

/** Marks the output of a sanitizer as HTML. */
export function sanitizedHtml(text: string): Html {
  return new Html(text)
}

/** Returns a script element with JSON data; nothing in the data can end the element, start a comment or break a line. */
export function jsonScript(type: string, id: string | null, data: unknown): Html {
  const text = JSON.stringify(data).replace(
    /[<>&\u2028\u2029]/g,
    character => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
  )
  return new Html(`<script type="${type}"${id === null ? '' : ` id="${id}"`}>${text}</script>`)
}

function renderValue(value: HtmlValue): string {
  if (value === null || value === undefined || value === false) return ''
  if (value instanceof Html) return value.text
  if (Array.isArray(value)) return value.map(one => one.text).join('')
  return String(value).replace(/[&<>"'`]/g, character => `&#${character.charCodeAt(0)};`)
}
