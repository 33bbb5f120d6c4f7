/** Handles the requests of a method; the result or promise is the response, a thrown error the error response. */
export type JsChannelHandler = (params: unknown) => unknown

/** An error response for the embedding page: a code and a message. */
export class JsChannelError extends Error {
  readonly code: string
  constructor(code: string, message: string) {
    super(message)
    this.code = code
  }
}

type JsChannelMessage = { id?: number; method: string; params?: unknown }

const SCOPE = 'peertube'
const READY = '__ready'
const MAX_MESSAGE_LENGTH = 10_000

/**
 * The server side of jschannel, the protocol of `@peertube/embed-api`: JSON over `postMessage`, methods named `scope::method`, requests
 * with an id, and a handshake (`__ready`) that either side may start, because the other one may not have loaded yet. Accepts only messages
 * of `peer`, the embedding window.
 */
export class JsChannel {
  readonly #peer: Window
  readonly #handlers = new Map<string, JsChannelHandler>()
  #origin: string | null = null

  constructor(peer: Window) {
    this.#peer = peer
    addEventListener('message', this.#receive)
  }

  /** Registers the handler of a method. */
  bind(method: string, handler: JsChannelHandler): void {
    this.#handlers.set(method, handler)
  }

  /** Starts the handshake; to be called when all methods are bound. */
  open(): void {
    this.#send({ method: `${SCOPE}::${READY}`, params: { type: 'publish-request', publish: [] } }, '*')
  }

  /** Sends an event; does nothing before the first message of the peer. */
  notify(event: string, params?: unknown): void {
    if (this.#origin !== null) this.#send({ method: `${SCOPE}::${event}`, params }, this.#origin)
  }

  readonly #receive = (event: MessageEvent): void => {
    if (event.source !== this.#peer) return
    const message = parseMessage(event.data)
    if (!message) return
    // The origin of a sandboxed page or a file is opaque and cannot be a target origin.
    const origin = event.origin === 'null' ? '*' : event.origin
    if (message.method === READY) return this.#handshake(message.params, origin)
    if (message.id === undefined) return
    this.#origin ??= origin
    void this.#respond(message.id, message, origin)
  }

  #handshake(params: unknown, origin: string): void {
    this.#origin = origin
    const reply =
      params === 'ping'
        ? 'pong'
        : (params as { type?: unknown } | null)?.type === 'publish-request'
          ? { type: 'publish-reply', publish: [] }
          : null
    if (reply !== null) this.#send({ method: `${SCOPE}::${READY}`, params: reply }, origin)
  }

  async #respond(id: number, { method, params }: JsChannelMessage, origin: string): Promise<void> {
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

/** Parses a message of SCOPE; null for everything else, because other scripts post messages to the same window. */
function parseMessage(data: unknown): JsChannelMessage | null {
  if (typeof data !== 'string' || data.length > MAX_MESSAGE_LENGTH) return null
  try {
    const { id, method, params } = JSON.parse(data) as Record<string, unknown>
    if (typeof method !== 'string' || !method.startsWith(`${SCOPE}::`) || (id !== undefined && typeof id !== 'number')) return null
    return { id, method: method.slice(SCOPE.length + 2), params }
  } catch {
    return null
  }
}
