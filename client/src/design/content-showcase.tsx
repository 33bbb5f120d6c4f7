import type { JSX } from 'preact'
import type { Video } from '../../../shared/videos.ts'
import { CleanHtml, Markdown } from '../ui/markdown.tsx'
import { Progress } from '../ui/progress-bar.tsx'
import { Badge, Failure, Note, State } from '../ui/feedback.tsx'
import { VideoCard, VideoRow } from '../videos/video-card.tsx'
import { Part } from './showcase-section.tsx'

const CHANNEL = { id: 1, name: 'slow_pictures', displayName: 'Slow pictures', url: '', host: '', avatars: [] }
const VIDEO = {
  id: 1,
  shortUUID: 'nothing',
  name: 'A walk through the old town, from the harbour up to the mill and back again by night',
  duration: 754,
  views: 12_345,
  publishedAt: '2026-03-12T10:00:00.000Z',
  thumbnailPath: null,
  previewPath: null,
  isLocal: true,
  channel: CHANNEL,
  account: CHANNEL
} as Partial<Video> as Video
const TEXT = 'Some **words**, a [link](https://example.com) and `code`.\n\n- one\n- two\n\n> Somebody said so.'

/** What only shows something: videos, words, how far, how it stands. */
export function Showing(): JSX.Element {
  return (
    <>
      <Part name="Cards">
        <div class="stack">
          <div class="design-card">
            <VideoCard video={VIDEO} heading="h3" />
          </div>
          <VideoRow video={VIDEO} heading="h3" />
          <div class="design-card card" aria-hidden="true">
            <div class="ghost ghost-picture" />
            <div>
              <div class="ghost ghost-line" />
              <div class="ghost ghost-line" />
              <div class="ghost ghost-line" />
            </div>
          </div>
        </div>
      </Part>
      <Part name="Words">
        <Markdown id="design" text={TEXT} />
        <CleanHtml html="<p>HTML that the <em>server</em> has cleaned.</p>" />
      </Part>
      <Part name="Badges">
        <div class="row">
          <Badge>Plain</Badge>
          <Badge kind="accent">Everybody</Badge>
          <Badge kind="warn">Soon</Badge>
          <Badge kind="bad">Failed</Badge>
        </div>
      </Part>
      <Part name="Notes">
        <div class="stack">
          <Note kind="info">Something to know.</Note>
          <Note kind="good">Something that is done.</Note>
          <Note kind="warn">Something to look at.</Note>
          <Note kind="bad">Something that went wrong.</Note>
        </div>
      </Part>
      <Part name="Progress">
        <div class="stack">
          <Progress label="A third" share={0.33} />
          <Progress label="Nobody knows" share={null} />
        </div>
      </Part>
      <Part name="Nothing there, and nothing works">
        <State icon="film" title="Nothing to watch yet">
          <p>The first video could be yours.</p>
        </State>
        <Failure
          text="The site cannot be reached. Are you online?"
          onRetry={() => {
            /* only shown */
          }}
        />
      </Part>
    </>
  )
}
