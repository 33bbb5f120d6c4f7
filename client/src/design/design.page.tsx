import type { JSX } from 'preact'
import { useTitle } from '../page/title.ts'
import { FoundationsShowcase } from './foundations-showcase.tsx'
import { ControlsShowcase } from './controls-showcase.tsx'
import { ContentShowcase } from './content-showcase.tsx'
import './design.css'

/** Every component in both themes; only on the development server, therefore in English only. */
export default function DesignPage(): JSX.Element {
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
