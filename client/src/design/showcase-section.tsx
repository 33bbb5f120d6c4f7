import type { ComponentChildren, JSX } from 'preact'

/** A named piece of the page. */
export function ShowcaseSection({ name, children }: { name: string; children: ComponentChildren }): JSX.Element {
  return (
    <div class="design-part">
      <h3 class="design-title">{name}</h3>
      {children}
    </div>
  )
}
