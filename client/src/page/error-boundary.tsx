import { Component, type ComponentChildren } from 'preact'
import { ErrorBoundary } from 'preact-iso'
import { t } from '../i18n/i18n.ts'
import { ErrorState } from '../ui/feedback.tsx'

/** Shows an error instead of a page that throws, or whose code cannot be loaded after an update of the server; the header stays. */
export class PageErrorBoundary extends Component<{ children: ComponentChildren }, { broken: boolean }> {
  override state = { broken: false }

  override componentDidCatch(error: unknown): void {
    this.setState({ broken: true })
    setTimeout(() => reportError(error))
  }

  override render(): ComponentChildren {
    if (this.state.broken) return <ErrorState text={t('ui.broken')} onRetry={() => location.reload()} />
    return <ErrorBoundary>{this.props.children as never}</ErrorBoundary>
  }
}
