import { useCallback, useEffect, useRef, useState } from 'preact/hooks'
import { apiUrl, api, type ApiResponse, type ApiCallOptions, type ApiRoute } from './api.ts'
import { isLoggedIn } from './credentials.ts'
import { peekInitialResponse } from './initial-data.ts'

/** What a page asked the server: nothing yet, the answer, or why there is none. */
export type UseQueryResult<T> = { data: T | null; error: unknown; loading: boolean; reload: () => void; change: (next: T) => void }

/**
 * Asks a GET route and asks again when its options or the login change; null asks nothing. Answers that came with the page are there at
 * once.
 */
export function useQuery<K extends ApiRoute>(route: K, options: ApiCallOptions<K> | null): UseQueryResult<ApiResponse<K>> {
  const key = options && `${apiUrl(route, options)} ${isLoggedIn.value} ${JSON.stringify(options.headers ?? '')}`
  const [state, setState] = useState<{ key: string | null; data: ApiResponse<K> | null; error: unknown }>(() => ({
    key,
    error: null,
    data: options ? ((peekInitialResponse(apiUrl(route, options)) ?? null) as ApiResponse<K> | null) : null
  }))
  const latest = useRef(key)
  latest.current = key
  const load = useCallback(() => {
    if (!options) return
    const ask = api as unknown as (route: K, options: ApiCallOptions<K>) => Promise<ApiResponse<K>>
    const answer = async () => {
      try {
        const data = await ask(route, options)
        if (latest.current === key) setState({ key, data, error: null })
      } catch (error) {
        if (latest.current === key) setState(before => ({ key, data: before.key === key ? before.data : null, error }))
      }
    }
    void answer()
  }, [key])
  useEffect(load, [load])
  const fresh = state.key === key
  return {
    data: fresh ? state.data : null,
    error: fresh ? state.error : null,
    loading: key !== null && !(fresh && (state.data !== null || state.error)),
    reload: () => {
      setState({ key, data: state.data, error: null })
      load()
    },
    change: data => setState({ key, data, error: null })
  }
}
