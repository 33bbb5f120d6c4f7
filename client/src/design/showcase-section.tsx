import type { ComponentChildren, JSX } from 'preact'

/** A section of the design page with its heading. */
export function ShowcaseSection({ name, children }: { name: string; children: ComponentChildren }): JSX.Element {
  return (
    <div class="design-part">
      <h3 class="design-title">{name}</h3>
      {children}
    </div>
  )
}
