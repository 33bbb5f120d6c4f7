import type { JSX } from 'preact'
import { useTitle } from '../shell/title.ts'
import { FoundationsShowcase } from './foundations-showcase.tsx'
import { ControlsShowcase } from './controls-showcase.tsx'
import { ContentShowcase } from './content-showcase.tsx'
import './design.css'

/** Every part that pages are made of, in both themes; only where the site is developed, so it speaks English alone. */
export default function Design(): JSX.Element {
  useTitle('Design')
  return (
    <div class="design">
      <h1 class="hidden-text">Design</h1>
      {(['light', 'dark'] as const).map(scheme => (
        <section key={scheme} class={`design-scheme design-${scheme}`} aria-labelledby={`design-${scheme}`}>
          <h2 id={`design-${scheme}`} class="design-name">
            {scheme}
          </h2>
          <FoundationsShowcase />
          <ControlsShowcase scheme={scheme} />
          <ContentShowcase />
        </section>
      ))}
    </div>
  )
}
