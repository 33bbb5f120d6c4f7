import type { JSX } from 'preact'
import type { Video } from '../../../shared/videos.ts'
import { SanitizedHtml, Markdown } from '../ui/markdown.tsx'
import { ProgressBar } from '../ui/progress-bar.tsx'
import { Badge, ErrorState, Notice, EmptyState } from '../ui/feedback.tsx'
import { VideoCard, CompactVideoCard } from '../videos/video-card.tsx'
import { ShowcaseSection } from './showcase-section.tsx'

const SAMPLE_CHANNEL = { id: 1, name: 'slow_pictures', displayName: 'Slow pictures', url: '', host: '', avatars: [] }
const SAMPLE_VIDEO = {
  id: 1,
  shortUUID: 'nothing',
  name: 'A walk through the old town, from the harbour up to the mill and back again by night',
  duration: 754,
  views: 12_345,
  publishedAt: '2026-03-12T10:00:00.000Z',
  thumbnailPath: null,
  previewPath: null,
  isLocal: true,
  channel: SAMPLE_CHANNEL,
  account: SAMPLE_CHANNEL
} as Partial<Video> as Video
const SAMPLE_TEXT = 'Some **words**, a [link](https://example.com) and `code`.\n\n- one\n- two\n\n> Somebody said so.'

/** The components that only show something: cards, text, badges, notices, progress. */
export function ContentShowcase(): JSX.Element {
  return (
    <>
      <ShowcaseSection name="Cards">
        <div class="stack">
          <div class="design-card">
            <VideoCard video={SAMPLE_VIDEO} heading="h3" />
          </div>
          <CompactVideoCard video={SAMPLE_VIDEO} heading="h3" />
          <div class="design-card card" aria-hidden="true">
            <div class="ghost ghost-picture" />
            <div>
              <div class="ghost ghost-line" />
              <div class="ghost ghost-line" />
              <div class="ghost ghost-line" />
            </div>
          </div>
        </div>
      </ShowcaseSection>
      <ShowcaseSection name="Words">
        <Markdown id="design" text={SAMPLE_TEXT} />
        <SanitizedHtml html="<p>HTML that the <em>server</em> has cleaned.</p>" />
      </ShowcaseSection>
      <ShowcaseSection name="Badges">
        <div class="row">
          <Badge>Plain</Badge>
          <Badge kind="accent">Public</Badge>
          <Badge kind="warn">Soon</Badge>
          <Badge kind="bad">Failed</Badge>
        </div>
      </ShowcaseSection>
      <ShowcaseSection name="Notes">
        <div class="stack">
          <Notice kind="info">Something to know.</Notice>
          <Notice kind="good">Something that is done.</Notice>
          <Notice kind="warn">Something to look at.</Notice>
          <Notice kind="bad">Something that went wrong.</Notice>
        </div>
      </ShowcaseSection>
      <ShowcaseSection name="Progress">
        <div class="stack">
          <ProgressBar label="A third" share={0.33} />
          <ProgressBar label="Nobody knows" share={null} />
        </div>
      </ShowcaseSection>
      <ShowcaseSection name="Nothing there, and nothing works">
        <EmptyState icon="film" title="No videos yet">
          <p>The first video could be yours.</p>
        </EmptyState>
        <ErrorState
          text="Can’t reach the server. Check your connection."
          onRetry={() => {
            /* only shown */
          }}
        />
      </ShowcaseSection>
    </>
  )
}
