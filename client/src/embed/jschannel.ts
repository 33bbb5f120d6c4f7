/** What a request is answered by; what it throws goes back as an error. */
export type JsChannelHandler = (params: unknown) => unknown

/** A refusal for the page around: a code and a sentence. */
export class JsChannelError extends Error {
  readonly code: string
  constructor(code: string, message: string) {
    super(message)
    this.code = code
  }
}

type Message = { id?: number; method: string; params?: unknown }

const SCOPE = 'peertube'
const READY = '__ready'
const LONGEST = 10_000

/**
 * The answering end of jschannel, which `@peertube/embed-api` speaks: JSON in `postMessage`, methods named `scope::method`, requests with
 * an id,
 * and a handshake (`__ready`) that either end may begin, as the other may not be there yet. Only the window around is heard.
 */
export class JsChannel {
  readonly #peer: Window
  readonly #handlers = new Map<string, JsChannelHandler>()
  #origin: string | null = null

  constructor(peer: Window) {
    this.#peer = peer
    addEventListener('message', this.#hear)
  }

  /** Answers a method from now on. */
  bind(method: string, handler: JsChannelHandler): void {
    this.#handlers.set(method, handler)
  }

  /** Tells the other end that this one is there; called when everything is bound. */
  open(): void {
    this.#send({ method: `${SCOPE}::${READY}`, params: { type: 'publish-request', publish: [] } }, '*')
  }

  /** Tells an event, once there is somebody who listens. */
  notify(event: string, params?: unknown): void {
    if (this.#origin !== null) this.#send({ method: `${SCOPE}::${event}`, params }, this.#origin)
  }

  readonly #hear = (event: MessageEvent): void => {
    if (event.source !== this.#peer) return
    const message = read(event.data)
    if (!message) return
    // A sandboxed page or a file has no name to be called by.
    const origin = event.origin === 'null' ? '*' : event.origin
    if (message.method === READY) return this.#greet(message.params, origin)
    if (message.id === undefined) return
    this.#origin ??= origin
    void this.#answer(message.id, message, origin)
  }

  #greet(params: unknown, origin: string): void {
    this.#origin = origin
    const reply =
      params === 'ping'
        ? 'pong'
        : (params as { type?: unknown } | null)?.type === 'publish-request'
          ? { type: 'publish-reply', publish: [] }
          : null
    if (reply !== null) this.#send({ method: `${SCOPE}::${READY}`, params: reply }, origin)
  }

  async #answer(id: number, { method, params }: Message, origin: string): Promise<void> {
    try {
      const handler = this.#handlers.get(method)
      if (!handler) throw new JsChannelError('method_not_found', `There is no method ${method}`)
      this.#send({ id, result: (await handler(params)) ?? null }, origin)
    } catch (error) {
      const { code, message } =
        error instanceof JsChannelError ? error : new JsChannelError('runtime_error', error instanceof Error ? error.message : '')
      this.#send({ id, error: code, message }, origin)
    }
  }

  #send(message: object, origin: string): void {
    this.#peer.postMessage(JSON.stringify(message), origin)
  }
}

/** A message of our scope; null for everything else, as other scripts talk through the same window. */
function read(data: unknown): Message | null {
  if (typeof data !== 'string' || data.length > LONGEST) return null
  try {
    const { id, method, params } = JSON.parse(data) as Record<string, unknown>
    if (typeof method !== 'string' || !method.startsWith(`${SCOPE}::`) || (id !== undefined && typeof id !== 'number')) return null
    return { id, method: method.slice(SCOPE.length + 2), params }
  } catch {
    return null
  }
}
